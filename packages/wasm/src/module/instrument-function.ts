import { BinaryReader, MalformedModule } from "./binary-reader.ts";
import { type BinaryWriter, sizeOfU32 } from "./binary-writer.ts";
import { STEP, skipInstruction } from "./instructions.ts";
import type { PositionMap } from "./position-map.ts";

/** Code to be inserted before byte `at` of the original. */
interface Insertion {
  readonly at: number;
  /** Instructions to be paid for; -1: what the operand on the stack says. */
  cost: number;
}

/** One unit of fuel pays for this many bytes or elements of a bulk instruction: two to the power of it. */
const BULK_SHIFT = 6;

/**
 * Fuel for each growth of the memory, however small: it is a call of the system, and the engine answers growth with
 * collections of garbage. A bomb that grows page by page held up everybody's requests for seconds.
 */
const GROWTH = 100_000;

const OP = {
  ...{ unreachable: 0x00, if: 0x04, end: 0x0b, localGet: 0x20, localTee: 0x22, globalGet: 0x23, globalSet: 0x24 },
  ...{ i32Const: 0x41, i32LtS: 0x48, i32Sub: 0x6b, i32ShrU: 0x76, empty: 0x40, i32: 0x7f },
} as const;

/**
 * Rewrites one function so that it pays for what it does: at its entry for the instructions outside its loops, at the
 * head of each loop, which every turn passes, for those inside, before each bulk instruction for its length, and before
 * each growth of the memory. Where the fuel is used up it runs into `unreachable`. `start` is the first byte of the body, behind its size.
 */
export function instrumentFunction(
  bytes: Uint8Array,
  start: number,
  end: number,
  parameters: number,
  fuel: number,
  out: BinaryWriter,
  positions: PositionMap,
): void {
  const reader = new BinaryReader(bytes, start, end);
  const locals = readLocals(reader);
  const code = reader.at;
  const insertions = planInsertions(reader);
  const needsLocal = insertions.some(({ cost }) => cost < 0);
  const scratch = parameters + locals.count;

  const header = sizeOfU32(locals.groups + 1);
  let size = end - start;
  if (needsLocal) size += header - sizeOfU32(locals.groups) + 2;
  for (const { cost } of insertions) size += sizeOfCharge(cost, fuel, scratch);
  out.u32(size);
  positions.add(out.length, start);
  if (needsLocal) {
    out.u32(locals.groups + 1);
    out.bytes(bytes, start + sizeOfU32(locals.groups), code);
    out.byte(1);
    out.byte(OP.i32);
  } else out.bytes(bytes, start, code);

  let done = code;
  for (const { at, cost } of insertions) {
    if (at > done) {
      positions.add(out.length, done);
      out.bytes(bytes, done, at);
      done = at;
    }
    if (cost < 0) writeBulkCharge(out, fuel, scratch);
    else writeCharge(out, cost, fuel);
  }
  positions.add(out.length, done);
  out.bytes(bytes, done, end);
}

function readLocals(reader: BinaryReader): { groups: number; count: number } {
  const groups = reader.u32();
  let count = 0;
  for (let i = 0; i < groups; i++) {
    count += reader.u32();
    reader.byte();
  }
  return { groups, count };
}

/** Where to insert what. Each instruction is paid for at the innermost loop that it stands in. */
function planInsertions(reader: BinaryReader): readonly Insertion[] {
  const entry: Insertion = { at: reader.at, cost: 1 };
  const insertions = [entry];
  /** The paying point of every open block, innermost last. */
  const payers = [entry];
  let payer = entry;
  while (payers.length > 0) {
    const at = reader.at;
    const step = skipInstruction(reader);
    payer.cost++;
    if (step === STEP.plain) continue;
    if (step === STEP.loop) {
      payer = { at: reader.at, cost: 1 };
      insertions.push(payer);
      payers.push(payer);
    } else if (step === STEP.block) payers.push(payer);
    else if (step === STEP.bulk) insertions.push({ at, cost: -1 });
    else if (step === STEP.grow) insertions.push({ at, cost: GROWTH });
    else {
      payers.pop();
      payer = payers.at(-1) ?? entry;
    }
  }
  if (!reader.done) throw new MalformedModule(`a function ends before its last byte, at byte ${reader.at}`);
  return insertions;
}

function writeCheck(out: BinaryWriter, fuel: number): void {
  out.byte(OP.globalGet);
  out.u32(fuel);
  out.byte(OP.i32Const);
  out.byte(0);
  out.byte(OP.i32LtS);
  out.byte(OP.if);
  out.byte(OP.empty);
  out.byte(OP.unreachable);
  out.byte(OP.end);
}

function writeCharge(out: BinaryWriter, cost: number, fuel: number): void {
  out.byte(OP.globalGet);
  out.u32(fuel);
  out.byte(OP.i32Const);
  out.s32(cost);
  out.byte(OP.i32Sub);
  out.byte(OP.globalSet);
  out.u32(fuel);
  writeCheck(out, fuel);
}

function writeBulkCharge(out: BinaryWriter, fuel: number, scratch: number): void {
  out.byte(OP.localTee);
  out.u32(scratch);
  out.byte(OP.globalGet);
  out.u32(fuel);
  out.byte(OP.localGet);
  out.u32(scratch);
  out.byte(OP.i32Const);
  out.byte(BULK_SHIFT);
  out.byte(OP.i32ShrU);
  out.byte(OP.i32Sub);
  out.byte(OP.globalSet);
  out.u32(fuel);
  writeCheck(out, fuel);
}

/** Opcodes and single bytes of the three functions above, plus their numbers. */
function sizeOfCharge(cost: number, fuel: number, scratch: number): number {
  const fuels = 3 * sizeOfU32(fuel);
  return cost < 0 ? 8 + 8 + 2 * sizeOfU32(scratch) + fuels : 4 + 8 + sizeOfS32(cost) + fuels;
}

function sizeOfS32(value: number): number {
  let size = 1;
  for (let rest = value; rest >= 0x40; rest >>= 7) size++;
  return size;
}
