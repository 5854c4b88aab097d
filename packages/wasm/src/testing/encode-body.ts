import type { BinaryWriter } from "../module/binary-writer.ts";
import { BYTES, INDEXED, MEMORY, PLAIN, VALUE_TYPES } from "./opcodes.ts";
import { headOf, type Node } from "./s-expression.ts";

/** What names in a function body mean. */
export interface Names {
  readonly func: ReadonlyMap<string, number>;
  readonly global: ReadonlyMap<string, number>;
  readonly local: ReadonlyMap<string, number>;
  /** The index of a function type, made if need be. */
  typeOf(parts: readonly Node[]): number;
}

/** Encodes instructions, folded or flat. `out` gets the code without the closing `end`. */
export function encodeBody(nodes: readonly Node[], names: Names, out: BinaryWriter): void {
  const labels: string[] = [];
  const rest = [...nodes];
  while (rest.length > 0) encodeNext(rest, names, labels, out);
}

function encodeNext(rest: Node[], names: Names, labels: string[], out: BinaryWriter): void {
  const node = rest.shift() as Node;
  if (Array.isArray(node)) encodeFolded(node, names, labels, out);
  else encodeWord(node, rest, names, labels, out);
}

function encodeFolded(node: Node[], names: Names, labels: string[], out: BinaryWriter): void {
  const [head, ...parts] = node as [string, ...Node[]];
  if (head === "block" || head === "loop") encodeBlock(head === "block" ? 0x02 : 0x03, parts, names, labels, out);
  else if (head === "if") encodeIf(parts, names, labels, out);
  else if (head === "try") encodeTry(parts as Node[][], names, labels, out);
  else {
    // Operands come first; what isn't a list, and the types of an indirect call, belongs to the instruction.
    const own = parts.filter((part) => !Array.isArray(part) || isType(part));
    const operands = parts.filter((part) => Array.isArray(part) && !isType(part));
    for (const operand of operands) encodeFolded(operand as Node[], names, labels, out);
    encodeWord(head, own, names, labels, out);
  }
}

function isType(node: Node): boolean {
  return ["param", "result", "type"].includes(headOf(node));
}

function encodeBlock(opcode: number, parts: Node[], names: Names, labels: string[], out: BinaryWriter): void {
  const rest = [...parts];
  labels.push(takeLabel(rest));
  out.byte(opcode);
  out.byte(takeBlockType(rest));
  while (rest.length > 0) encodeNext(rest, names, labels, out);
  out.byte(0x0b);
  labels.pop();
}

function encodeIf(parts: Node[], names: Names, labels: string[], out: BinaryWriter): void {
  const rest = [...parts];
  const label = takeLabel(rest);
  const type = takeBlockType(rest);
  while (rest.length > 0 && headOf(rest[0]) !== "then") encodeNext(rest, names, labels, out);
  out.byte(0x04);
  out.byte(type);
  labels.push(label);
  const [then, otherwise] = rest as Node[][];
  const inside = (then ?? []).slice(1);
  while (inside.length > 0) encodeNext(inside, names, labels, out);
  if (otherwise !== undefined) {
    out.byte(0x05);
    const other = otherwise.slice(1);
    while (other.length > 0) encodeNext(other, names, labels, out);
  }
  out.byte(0x0b);
  labels.pop();
}

/** `(try (do …) (catch_all …))`, in the older form of exceptions, which Node 20 knows. */
function encodeTry([inside = [], handler = []]: Node[][], names: Names, labels: string[], out: BinaryWriter): void {
  labels.push("");
  out.byte(0x06);
  out.byte(0x40);
  const tried = inside.slice(1);
  while (tried.length > 0) encodeNext(tried, names, labels, out);
  out.byte(0x19);
  const caught = handler.slice(1);
  while (caught.length > 0) encodeNext(caught, names, labels, out);
  out.byte(0x0b);
  labels.pop();
}

function takeLabel(rest: Node[]): string {
  const [first] = rest;
  return typeof first === "string" && first.startsWith("$") ? (rest.shift() as string) : "";
}

function takeBlockType(rest: Node[]): number {
  if (headOf(rest[0]) !== "result") return 0x40;
  const [, type] = rest.shift() as string[];
  return VALUE_TYPES[type ?? ""] ?? 0x40;
}

function encodeWord(word: string, rest: Node[], names: Names, labels: string[], out: BinaryWriter): void {
  const plain = PLAIN.get(word);
  const indexed = INDEXED.get(word);
  const memory = MEMORY.get(word);
  const bytes = BYTES.get(word);
  if (plain !== undefined) out.byte(plain);
  else if (bytes !== undefined) for (const byte of bytes) out.byte(byte);
  else if (indexed !== undefined) {
    out.byte(indexed[0]);
    out.u32(indexOf(rest.shift() as string, indexed[1], names, labels));
  } else if (memory !== undefined) {
    out.byte(memory[0]);
    out.byte(memory[1]);
    out.u32(takeOffset(rest));
  } else if (word === "i32.const") {
    out.byte(0x41);
    out.s32(Number(rest.shift()) | 0);
  } else if (word === "i64.const") {
    out.byte(0x42);
    writeS64(out, BigInt(rest.shift() as string));
  } else if (word === "call_indirect") {
    out.byte(0x11);
    const types = rest.filter(isType);
    rest.splice(0, rest.length, ...rest.filter((part) => !isType(part)));
    out.u32(names.typeOf(types));
    out.u32(0);
  } else throw new Error(`unknown instruction ${word}`);
}

function indexOf(name: string, space: "func" | "local" | "global" | "label", names: Names, labels: string[]): number {
  if (!name.startsWith("$")) return Number(name);
  const index = space === "label" ? labels.length - 1 - labels.lastIndexOf(name) : names[space].get(name);
  if (index === undefined || index >= 0xffff) throw new Error(`unknown ${space} ${name}`);
  return index;
}

function takeOffset(rest: Node[]): number {
  const [first] = rest;
  if (typeof first !== "string" || !first.startsWith("offset=")) return 0;
  rest.shift();
  return Number(first.slice("offset=".length));
}

function writeS64(out: BinaryWriter, value: bigint): void {
  for (let rest = value; ; ) {
    const low = Number(BigInt.asUintN(7, rest));
    rest >>= 7n;
    if ((rest === 0n && low < 0x40) || (rest === -1n && low >= 0x40)) {
      out.byte(low);
      return;
    }
    out.byte(low | 0x80);
  }
}
