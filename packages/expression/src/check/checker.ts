import { suggestion } from "../nearest-name.ts";
import type { CallNode, IdentNode, ListNode, MapNode, MessageNode, Node, SelectNode } from "../syntax/ast.ts";
import { qualifiedName } from "../syntax/ast.ts";
import { type ExpressionFault, locate, type OffsetFault } from "../syntax/fault.ts";
import { Substitution } from "../types/substitution.ts";
import { BOOL, DYN, listOf, mapOf, optionalContent, optionalOf, STRING, type Type, typeText } from "../types/type.ts";
import { typeOfValue } from "../types/type-of-value.ts";
import { checkCall } from "./calls.ts";
import type { Environment } from "./environment.ts";
import { checkBind, checkLoop, checkOptionalMap } from "./loops.ts";
import type { Checked, Note } from "./note.ts";
import { Scope } from "./scope.ts";

/**
 * `all`: types and names. `functions`: only that the functions exist, which is how Envoy takes expressions; the rest fails
 * when it is evaluated. `none`: that, too.
 */
export type Checks = "all" | "functions" | "none";

export interface CheckOptions {
  readonly checks: Checks;
}

export type CheckResult =
  | { readonly checked: Checked; readonly faults?: undefined }
  | { readonly checked?: undefined; readonly faults: readonly ExpressionFault[] };

const MOST_FAULTS = 20;

/** Finds out the type of everything in an expression. */
export function check(source: string, node: Node, environment: Environment, options: CheckOptions): CheckResult {
  const checker = new Checker(environment, options);
  const type = checker.check(node);
  if (checker.faults.length > 0) return { faults: locate(source, checker.faults.slice(0, MOST_FAULTS)) };
  for (const note of checker.notes.values()) note.type = checker.substitution.apply(note.type, true);
  return {
    checked: { node, notes: checker.notes, type: checker.substitution.apply(type, true), locals: checker.scope.most },
  };
}

export class Checker {
  readonly environment: Environment;
  readonly options: CheckOptions;
  readonly scope: Scope;
  readonly substitution = new Substitution();
  readonly notes = new Map<Node, Note>();
  readonly faults: OffsetFault[] = [];
  #variables = 0;

  constructor(environment: Environment, options: CheckOptions) {
    this.environment = environment;
    this.options = options;
    this.scope = new Scope(environment);
  }

  /** A variable that nothing is known about yet. */
  fresh(): Type {
    return { kind: "param", name: `_${this.#variables++}` };
  }

  /** Notes a fault of types; in lenient checks the values will show it. */
  fault(offset: number, message: string): Type {
    if (this.options.checks === "all") this.faults.push({ offset, message });
    return DYN;
  }

  /** A fault that cannot wait for values. */
  hardFault(offset: number, message: string): Type {
    this.faults.push({ offset, message });
    return DYN;
  }

  /** Types are shown to people with everything known filled in. */
  text(type: Type): string {
    return typeText(this.substitution.apply(type, true));
  }

  check(node: Node): Type {
    const note: Note = { type: DYN };
    this.notes.set(node, note);
    note.type = this.#check(node, note);
    return note.type;
  }

  /** Checks that a node is of a type. */
  expect(node: Node, type: Type, what: string): void {
    const found = this.check(node);
    if (!this.substitution.assign(found, type))
      this.fault(node.offset, `${what} must be ${typeText(type)}, not ${this.text(found)}`);
  }

  #check(node: Node, note: Note): Type {
    switch (node.kind) {
      case "constant":
        return typeOfValue(node.value);
      case "ident":
        return this.#ident(node, note);
      case "select":
        return this.#select(node, note);
      case "call":
        return checkCall(this, node as CallNode, note);
      case "list":
        return this.#list(node);
      case "map":
        return this.#map(node);
      case "message":
        return this.#message(node, note);
      case "loop":
        return checkLoop(this, node, note);
      case "bind":
        return checkBind(this, node, note);
      case "optionalMap":
        return checkOptionalMap(this, node, note);
    }
  }

  #ident(node: IdentNode, note: Note): Type {
    const found = this.scope.find(node.name);
    if (found !== null) {
      note.reference = found.reference;
      return found.type;
    }
    const { name, offset } = node;
    const undeclared = this.environment.variables.undeclared();
    if (undeclared !== undefined) {
      note.reference = { kind: "variable", name };
      return undeclared;
    }
    note.reference = { kind: "undeclared", name };
    const near = suggestion(name, this.environment.variables.names());
    return this.fault(offset, `unknown attribute "${name}"${near}`);
  }

  #select(node: SelectNode, note: Note): Type {
    if (this.#isQualified(node, note)) return note.type;
    const operand = this.check(node.operand);
    const field = this.fieldType(operand, node);
    if (node.test) return BOOL;
    if (!node.optional) return field;
    return optionalContent(field) === null ? optionalOf(field) : field;
  }

  /** Whether the whole chain of selections is one name. */
  #isQualified(node: SelectNode, note: Note): boolean {
    if (node.test) return false;
    const name = qualifiedName(node);
    const first = name?.split(".", 1)[0] ?? "";
    if (name === null || this.scope.local(first) !== null) return false;
    const found = this.scope.find(name);
    if (found === null) return false;
    note.reference = found.reference;
    note.type = found.type;
    return true;
  }

  /** What a selection or an index by a name gives. */
  fieldType(operand: Type, { field, offset }: { readonly field: string; readonly offset: number }): Type {
    const type = this.substitution.apply(operand);
    const content = optionalContent(type);
    if (content !== null) {
      const inner = this.fieldType(content, { field, offset });
      return optionalContent(inner) === null ? optionalOf(inner) : inner;
    }
    switch (type.kind) {
      case "dyn":
      case "param":
        return DYN;
      case "map":
        if (!this.substitution.assign(STRING, type.key))
          return this.fault(offset, `the map has keys of type ${this.text(type.key)}, not fields like "${field}"`);
        return type.value;
      case "message":
        return this.#messageField(type.name, field, offset);
      default:
        return this.fault(offset, `a ${this.text(type)} has no fields, so no "${field}"`);
    }
  }

  #messageField(typeName: string, field: string, offset: number): Type {
    const type = this.environment.types.findField(typeName, field);
    if (type !== undefined) return type;
    const near = suggestion(field, this.environment.types.fieldNames(typeName));
    return this.fault(offset, `${typeName} has no field "${field}"${near}`);
  }

  #list(node: ListNode): Type {
    let joined: Type | null = null;
    for (const { value, optional } of node.elements) {
      const type = this.#entryType(value, optional);
      joined = this.join(joined, type);
    }
    return listOf(joined ?? this.fresh());
  }

  #map(node: MapNode): Type {
    let keys: Type | null = null;
    let values: Type | null = null;
    for (const { key, value, optional } of node.entries) {
      keys = this.join(keys, this.check(key));
      values = this.join(values, this.#entryType(value, optional));
    }
    return mapOf(keys ?? this.fresh(), values ?? this.fresh());
  }

  #entryType(node: Node, optional: boolean): Type {
    const type = this.check(node);
    if (!optional) return type;
    const applied = this.substitution.apply(type);
    if (applied.kind === "dyn") return DYN;
    const content = optionalContent(applied);
    return content ?? this.fault(node.offset, `after "?" an optional value is needed, not ${this.text(type)}`);
  }

  /** The type that takes in both; `dyn` where they have nothing in common. */
  join(one: Type | null, other: Type): Type {
    if (one === null) return other;
    return this.substitution.assign(one, other) ? this.substitution.mostGeneral(one, other) : DYN;
  }

  #message(node: MessageNode, note: Note): Type {
    const found = this.scope.findMessage(node.name);
    if (found === null) return this.hardFault(node.offset, `there is no type "${node.name}"`);
    note.typeName = found.name;
    for (const { name, value, optional, offset } of node.fields) {
      const field = this.#messageField(found.name, name, offset);
      const type = this.#entryType(value, optional);
      if (!this.substitution.assign(type, field))
        this.fault(value.offset, `${name} must be ${this.text(field)}, not ${this.text(type)}`);
    }
    return found.type;
  }
}
