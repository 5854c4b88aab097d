import { type BinaryReader, MalformedModule } from "./binary-reader.ts";

/** What the instruction that was skipped means for whoever counts instructions. */
export const STEP = { plain: 0, block: 1, loop: 2, end: 3, bulk: 4, grow: 5 } as const;

/**
 * Skips one instruction. Numbers that lie behind an opcode are only skipped, not checked: the engine has validated
 * the module before.
 */
export function skipInstruction(reader: BinaryReader): number {
  const opcode = reader.byte();
  if (opcode >= 0x45 && opcode <= 0xc4) return STEP.plain;
  if (opcode >= 0x28 && opcode <= 0x3e) return skipMemoryAccess(reader);
  switch (opcode) {
    case 0x03:
      skipBlockType(reader);
      return STEP.loop;
    case 0x02:
    case 0x04:
    case 0x06:
      skipBlockType(reader);
      return STEP.block;
    case 0x0b:
      return STEP.end;
    // `delegate` ends the block of a `try`.
    case 0x18:
      reader.u32();
      return STEP.end;
    case 0x40:
      reader.skipLeb();
      return STEP.grow;
    case 0x1f:
      skipTryTable(reader);
      return STEP.block;
    case 0xfc:
      return skipExtended(reader);
    case 0xfd:
      return skipVector(reader);
    case 0xfe:
      return skipAtomic(reader);
    default:
      skipOperands(reader, opcode);
      return STEP.plain;
  }
}

/** One i32, i64, function, local, global, table, tag or label: the opcodes with one LEB128 number behind them. */
const ONE_NUMBER = new Set([
  ...[0x07, 0x08, 0x09, 0x0c, 0x0d, 0x10, 0x12, 0x14, 0x15, 0x20, 0x21, 0x22, 0x23, 0x24, 0x25, 0x26],
  ...[0x3f, 0x41, 0x42, 0xd0, 0xd2],
]);

const NO_OPERANDS = new Set([0x00, 0x01, 0x05, 0x0a, 0x0f, 0x19, 0x1a, 0x1b, 0xd1]);

function skipOperands(reader: BinaryReader, opcode: number): void {
  if (ONE_NUMBER.has(opcode)) reader.skipLeb();
  else if (opcode === 0x11 || opcode === 0x13) {
    reader.u32();
    reader.u32();
  } else if (opcode === 0x43) reader.skip(4);
  else if (opcode === 0x44) reader.skip(8);
  else if (opcode === 0x0e) skipNumbers(reader, reader.u32() + 1);
  else if (opcode === 0x1c) skipNumbers(reader, reader.u32());
  else if (!NO_OPERANDS.has(opcode)) throw unknown(reader, opcode);
}

function skipNumbers(reader: BinaryReader, count: number): void {
  for (let i = 0; i < count; i++) reader.skipLeb();
}

function skipBlockType(reader: BinaryReader): void {
  reader.skipLeb();
}

function skipMemoryAccess(reader: BinaryReader): number {
  reader.u32();
  reader.skipLeb();
  return STEP.plain;
}

function skipTryTable(reader: BinaryReader): void {
  skipBlockType(reader);
  const count = reader.u32();
  for (let i = 0; i < count; i++) {
    const kind = reader.byte();
    if (kind < 2) reader.u32();
    reader.u32();
  }
}

/** Instructions whose last operand says how many bytes or elements they touch. */
const BULK = new Set([8, 10, 11, 12, 14, 15, 17]);

/** 0xFC: saturating conversions, then what moves whole blocks of memory or tables. */
function skipExtended(reader: BinaryReader): number {
  const opcode = reader.u32();
  if (opcode <= 7) return STEP.plain;
  if (opcode > 17) throw unknown(reader, 0xfc00 + opcode);
  reader.u32();
  if (opcode === 8 || opcode === 10 || opcode === 12 || opcode === 14) reader.u32();
  return BULK.has(opcode) ? STEP.bulk : STEP.plain;
}

function skipVector(reader: BinaryReader): number {
  const opcode = reader.u32();
  if (opcode <= 11 || opcode === 92 || opcode === 93) return skipMemoryAccess(reader);
  if (opcode >= 84 && opcode <= 91) {
    skipMemoryAccess(reader);
    reader.byte();
  } else if (opcode === 12 || opcode === 13) reader.skip(16);
  else if (opcode >= 21 && opcode <= 34) reader.byte();
  else if (opcode > 0x113) throw unknown(reader, opcode);
  return STEP.plain;
}

function skipAtomic(reader: BinaryReader): number {
  const opcode = reader.u32();
  if (opcode === 3) reader.byte();
  else skipMemoryAccess(reader);
  return STEP.plain;
}

function unknown(reader: BinaryReader, opcode: number): MalformedModule {
  return new MalformedModule(
    `has instruction 0x${opcode.toString(16)} before byte ${reader.at}, which is not supported`,
  );
}
