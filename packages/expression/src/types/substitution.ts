import { isPrimitive, paramsOf, type Type, withParams } from "./type.ts";

/** What the variables of signatures stand for, as far as the arguments seen so far say. */
export class Substitution {
  readonly #bound = new Map<string, Type>();
  /** What was bound and what was there before, so that an attempt that fails can be undone without a copy. */
  readonly #trail: { readonly name: string; readonly before: Type | undefined }[] = [];

  /** The type with all known variables replaced; unknown ones become `dyn` with `close`. */
  apply(type: Type, close = false): Type {
    if (type.kind === "param") {
      const known = this.#bound.get(type.name);
      if (known !== undefined) return this.apply(known, close);
      return close ? { kind: "dyn" } : type;
    }
    const params = paramsOf(type);
    if (params.length === 0) return type;
    const applied = params.map((param) => this.apply(param, close));
    return applied.every((param, i) => param === params[i]) ? type : withParams(type, applied);
  }

  /** Whether a value of type `from` fits where `to` is asked for. Binds variables on the way. */
  assign(from: Type, to: Type): boolean {
    if (to.kind === "param") return this.#assignVariable(from, to);
    if (from.kind === "param") return this.#assignVariable(to, from);
    if (from.kind === "dyn" || to.kind === "dyn") return true;
    if (from.kind === "null") return isNullable(to);
    if (to.kind === "null") return isNullable(from);
    if (from.kind === "wrapper" && to.kind !== "wrapper") return from.of.kind === to.kind;
    if (to.kind === "wrapper" && from.kind !== "wrapper") return to.of.kind === from.kind;
    if (from.kind !== to.kind) return false;
    if (from.kind === "type") return true;
    if (from.kind === "message" || from.kind === "opaque") {
      if (from.name !== (to as typeof from).name) return false;
    }
    const params = paramsOf(from);
    const others = paramsOf(to);
    return params.length === others.length && params.every((param, i) => this.assign(param, others[i] as Type));
  }

  /** All or nothing. */
  assignAll(from: readonly Type[], to: readonly Type[]): boolean {
    if (from.length !== to.length) return false;
    const start = this.#trail.length;
    if (from.every((type, i) => this.assign(type, to[i] as Type))) return true;
    for (const { name, before } of this.#trail.splice(start).reverse()) {
      if (before === undefined) this.#bound.delete(name);
      else this.#bound.set(name, before);
    }
    return false;
  }

  #bind(name: string, type: Type): void {
    this.#trail.push({ name, before: this.#bound.get(name) });
    this.#bound.set(name, type);
  }

  #assignVariable(type: Type, variable: Type & { readonly kind: "param" }): boolean {
    if (type.kind === "param" && type.name === variable.name) return true;
    const known = this.#bound.get(variable.name);
    if (known === undefined) {
      if (this.#mentions(type, variable.name)) return false;
      this.#bind(variable.name, type);
      return true;
    }
    if (known === type) return true;
    if (!this.assign(type, known)) return false;
    const general = this.mostGeneral(type, known);
    if (!this.#mentions(general, variable.name)) this.#bind(variable.name, general);
    return true;
  }

  #mentions(type: Type, name: string): boolean {
    if (type.kind !== "param") return paramsOf(type).some((param) => this.#mentions(param, name));
    if (type.name === name) return true;
    const known = this.#bound.get(type.name);
    return known !== undefined && this.#mentions(known, name);
  }

  /** Of two types that fit each other, the one that takes in the other. */
  mostGeneral(one: Type, other: Type): Type {
    return isAsGeneral(this.apply(one), this.apply(other)) ? one : other;
  }
}

function isNullable(type: Type): boolean {
  return ["null", "dyn", "message", "wrapper", "opaque", "timestamp", "duration"].includes(type.kind);
}

function isAsGeneral(one: Type, other: Type): boolean {
  if (one.kind === "dyn" || one.kind === "param") return true;
  if (other.kind === "dyn" || other.kind === "param") return false;
  if (other.kind === "null") return true;
  if (one.kind === "wrapper" && isPrimitive(other)) return one.of.kind === other.kind;
  if (one.kind !== other.kind) return false;
  if (one.kind === "type") return true;
  const params = paramsOf(one);
  const others = paramsOf(other);
  return params.length === others.length && params.every((param, i) => isAsGeneral(param, others[i] as Type));
}
