/** What the checker knows about a value. */
export type Type =
  | { readonly kind: "dyn" | "null" | PrimitiveKind | "timestamp" | "duration" }
  | { readonly kind: "list"; readonly element: Type }
  | { readonly kind: "map"; readonly key: Type; readonly value: Type }
  /** A message or an object with declared fields. */
  | { readonly kind: "message"; readonly name: string }
  /** A primitive or null. */
  | { readonly kind: "wrapper"; readonly of: Type }
  | { readonly kind: "type"; readonly of: Type }
  | { readonly kind: "opaque"; readonly name: string; readonly params: readonly Type[] }
  /** A variable of a signature. */
  | { readonly kind: "param"; readonly name: string };

export type PrimitiveKind = "bool" | "int" | "uint" | "double" | "string" | "bytes";

export const DYN: Type = { kind: "dyn" };
export const NULL: Type = { kind: "null" };
export const BOOL: Type = { kind: "bool" };
export const INT: Type = { kind: "int" };
export const UINT: Type = { kind: "uint" };
export const DOUBLE: Type = { kind: "double" };
export const STRING: Type = { kind: "string" };
export const BYTES: Type = { kind: "bytes" };

export const listOf = (element: Type): Type => ({ kind: "list", element });
export const mapOf = (key: Type, value: Type): Type => ({ kind: "map", key, value });
export const typeOf = (of: Type): Type => ({ kind: "type", of });
export const optionalOf = (of: Type): Type => ({ kind: "opaque", name: "optional_type", params: [of] });
export const wrapperOf = (of: Type): Type => ({ kind: "wrapper", of });
export const messageType = (name: string): Type => ({ kind: "message", name });

/** The content of an optional, or null for other types. */
export function optionalContent(type: Type): Type | null {
  return type.kind === "opaque" && type.name === "optional_type" ? (type.params[0] ?? DYN) : null;
}

const PRIMITIVES: ReadonlySet<string> = new Set(["bool", "int", "uint", "double", "string", "bytes"]);

export function isPrimitive(type: Type): boolean {
  return PRIMITIVES.has(type.kind);
}

/** Parts of a composed type. */
export function paramsOf(type: Type): readonly Type[] {
  switch (type.kind) {
    case "list":
      return [type.element];
    case "map":
      return [type.key, type.value];
    case "wrapper":
    case "type":
      return [type.of];
    case "opaque":
      return type.params;
    default:
      return [];
  }
}

export function withParams(type: Type, params: readonly Type[]): Type {
  const [first = DYN, second = DYN] = params;
  switch (type.kind) {
    case "list":
      return listOf(first);
    case "map":
      return mapOf(first, second);
    case "wrapper":
      return wrapperOf(first);
    case "type":
      return typeOf(first);
    case "opaque":
      return { kind: "opaque", name: type.name, params };
    default:
      return type;
  }
}

/** As people and signatures write it: `map(string, list(int))`. */
export function typeText(type: Type): string {
  switch (type.kind) {
    case "null":
      return "null_type";
    case "message":
    case "param":
      return type.name;
    case "opaque":
      return type.params.length === 0 ? type.name : `${type.name}(${type.params.map(typeText).join(", ")})`;
    default: {
      const params = paramsOf(type);
      return params.length === 0 ? type.kind : `${type.kind}(${params.map(typeText).join(", ")})`;
    }
  }
}
