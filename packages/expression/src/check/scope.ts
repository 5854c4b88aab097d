import { type Type, typeOf } from "../types/type.ts";
import { TypeValue } from "../values/value.ts";
import type { Environment } from "./environment.ts";
import type { Reference } from "./note.ts";

export interface Resolved {
  readonly type: Type;
  readonly reference: Reference;
}

const DENOTATIONS: ReadonlyMap<string, Type> = new Map<string, Type>([
  ["bool", { kind: "bool" }],
  ["int", { kind: "int" }],
  ["uint", { kind: "uint" }],
  ["double", { kind: "double" }],
  ["string", { kind: "string" }],
  ["bytes", { kind: "bytes" }],
  ["null_type", { kind: "null" }],
  ["list", { kind: "list", element: { kind: "dyn" } }],
  ["map", { kind: "map", key: { kind: "dyn" }, value: { kind: "dyn" } }],
  ["type", { kind: "type", of: { kind: "dyn" } }],
  ["optional_type", { kind: "opaque", name: "optional_type", params: [{ kind: "dyn" }] }],
  ["google.protobuf.Timestamp", { kind: "timestamp" }],
  ["google.protobuf.Duration", { kind: "duration" }],
]);

/** Looks names up: local variables first, then from the inside of the container to the outside. */
export class Scope {
  readonly #environment: Environment;
  readonly #locals: { readonly name: string; readonly type: Type }[] = [];
  #most = 0;

  constructor(environment: Environment) {
    this.#environment = environment;
  }

  /** How many local variables there were at once. */
  get most(): number {
    return this.#most;
  }

  /** Gives the slot of the new variable. */
  push(name: string, type: Type): number {
    this.#locals.push({ name, type });
    this.#most = Math.max(this.#most, this.#locals.length);
    return this.#locals.length - 1;
  }

  pop(count: number): void {
    this.#locals.length -= count;
  }

  local(name: string): Resolved | null {
    for (let slot = this.#locals.length - 1; slot >= 0; slot--) {
      const local = this.#locals[slot];
      if (local?.name === name) return { type: local.type, reference: { kind: "local", slot } };
    }
    return null;
  }

  /** The names that `name` may mean, the innermost first. */
  candidates(name: string): string[] {
    if (name.startsWith(".")) return [name.slice(1)];
    const names: string[] = [];
    let prefix = this.#environment.container;
    while (prefix !== "") {
      names.push(`${prefix}.${name}`);
      prefix = prefix.slice(0, Math.max(0, prefix.lastIndexOf(".")));
    }
    names.push(name);
    return names;
  }

  /** A variable, a constant or a type of that name. */
  find(name: string): Resolved | null {
    const local = this.local(name);
    if (local !== null) return local;
    for (const candidate of this.candidates(name)) {
      const type = this.#environment.variables.get(candidate);
      if (type !== undefined) return { type, reference: { kind: "variable", name: candidate } };
      const constant = this.#environment.types.findConstant(candidate);
      if (constant !== undefined)
        return { type: constant.type, reference: { kind: "constant", value: constant.value } };
      const denoted = DENOTATIONS.get(candidate) ?? this.#environment.types.findType(candidate);
      if (denoted !== undefined)
        return { type: typeOf(denoted), reference: { kind: "constant", value: new TypeValue(candidate) } };
    }
    return null;
  }

  /** The full name of a message type, and what it is to the language. */
  findMessage(name: string): { readonly name: string; readonly type: Type } | null {
    for (const candidate of this.candidates(name)) {
      const type = this.#environment.types.findType(candidate);
      if (type !== undefined) return { name: candidate, type };
    }
    return null;
  }

  findFunction(name: string): string | null {
    return this.candidates(name).find((candidate) => this.#environment.functions.find(candidate) !== undefined) ?? null;
  }
}
