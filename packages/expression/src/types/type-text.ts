import { type Type, withParams } from "./type.ts";

const PIECE = /[A-Za-z_][A-Za-z0-9_.]*|[(),]/g;
const SIMPLE: ReadonlySet<string> = new Set([
  ...["dyn", "bool", "int", "uint", "double", "string", "bytes", "timestamp", "duration"],
]);

/** Reads what `typeText` writes. A single capital is a variable, other unknown names are messages. */
export function parseType(text: string): Type {
  const pieces = text.match(PIECE) ?? [];
  const { type, next } = readType(pieces, 0);
  if (next !== pieces.length) throw new Error(`"${text}" is not a type`);
  return type;
}

function readType(pieces: readonly string[], at: number): { readonly type: Type; readonly next: number } {
  const name = pieces[at] ?? "";
  if (pieces[at + 1] !== "(") return { type: simpleType(name), next: at + 1 };
  const params: Type[] = [];
  let next = at + 1;
  while (pieces[next] === "(" || pieces[next] === ",") {
    const param = readType(pieces, next + 1);
    params.push(param.type);
    next = param.next;
  }
  if (pieces[next] !== ")") throw new Error(`a ")" is missing after ${pieces.slice(at, next).join("")}`);
  return { type: withParams(composedType(name), params), next: next + 1 };
}

function simpleType(name: string): Type {
  if (SIMPLE.has(name)) return { kind: name as "dyn" };
  if (name === "null_type") return { kind: "null" };
  if (/^[A-Z]$/.test(name)) return { kind: "param", name };
  if (name === "type" || name === "list" || name === "map") return composedType(name);
  return { kind: "message", name };
}

function composedType(name: string): Type {
  const dyn: Type = { kind: "dyn" };
  switch (name) {
    case "list":
      return { kind: "list", element: dyn };
    case "map":
      return { kind: "map", key: dyn, value: dyn };
    case "wrapper":
    case "type":
      return { kind: name, of: dyn };
    default:
      return { kind: "opaque", name, params: [] };
  }
}
