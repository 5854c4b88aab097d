const COMPARE = ["eq", "ne", "lt_s", "lt_u", "gt_s", "gt_u", "le_s", "le_u", "ge_s", "ge_u"];
const INTEGER = [
  ...["clz", "ctz", "popcnt", "add", "sub", "mul", "div_s", "div_u", "rem_s", "rem_u", "and", "or", "xor", "shl"],
  ...["shr_s", "shr_u", "rotl", "rotr"],
];

function numbered(from: number, prefix: string, names: readonly string[]): [string, number][] {
  return names.map((name, at): [string, number] => [`${prefix}.${name}`, from + at]);
}

/** Instructions without anything behind the opcode. */
export const PLAIN: ReadonlyMap<string, number> = new Map([
  ["unreachable", 0x00],
  ["nop", 0x01],
  ["return", 0x0f],
  ["drop", 0x1a],
  ["select", 0x1b],
  ["i32.eqz", 0x45],
  ...numbered(0x46, "i32", COMPARE),
  ["i64.eqz", 0x50],
  ...numbered(0x51, "i64", COMPARE),
  ...numbered(0x67, "i32", INTEGER),
  ...numbered(0x79, "i64", INTEGER),
  ["f64.add", 0xa0],
  ["i32.wrap_i64", 0xa7],
  ["i64.extend_i32_s", 0xac],
  ["i64.extend_i32_u", 0xad],
]);

/** Loads and stores with the logarithm of their natural alignment. */
export const MEMORY: ReadonlyMap<string, readonly [opcode: number, align: number]> = new Map([
  ["i32.load", [0x28, 2]],
  ["i64.load", [0x29, 3]],
  ["i32.load8_s", [0x2c, 0]],
  ["i32.load8_u", [0x2d, 0]],
  ["i32.load16_u", [0x2f, 1]],
  ["i32.store", [0x36, 2]],
  ["i64.store", [0x37, 3]],
  ["i32.store8", [0x3a, 0]],
  ["i32.store16", [0x3b, 1]],
]);

/** Instructions with one index behind the opcode, and what the index counts. */
export const INDEXED: ReadonlyMap<string, readonly [opcode: number, space: "func" | "local" | "global" | "label"]> =
  new Map([
    ["br", [0x0c, "label"]],
    ["br_if", [0x0d, "label"]],
    ["call", [0x10, "func"]],
    ["return_call", [0x12, "func"]],
    ["local.get", [0x20, "local"]],
    ["local.set", [0x21, "local"]],
    ["local.tee", [0x22, "local"]],
    ["global.get", [0x23, "global"]],
    ["global.set", [0x24, "global"]],
    ["ref.func", [0xd2, "func"]],
  ]);

/** Longer forms, byte by byte. */
export const BYTES: ReadonlyMap<string, readonly number[]> = new Map([
  ["memory.size", [0x3f, 0]],
  ["memory.grow", [0x40, 0]],
  ["memory.copy", [0xfc, 10, 0, 0]],
  ["memory.fill", [0xfc, 11, 0]],
  ["table.grow", [0xfc, 15, 0]],
  ["table.size", [0xfc, 16, 0]],
  ["ref.null", [0xd0, 0x70]],
]);

export const VALUE_TYPES: Readonly<Record<string, number>> = {
  i32: 0x7f,
  i64: 0x7e,
  f32: 0x7d,
  f64: 0x7c,
  funcref: 0x70,
};
