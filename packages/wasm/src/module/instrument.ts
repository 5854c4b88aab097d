import { BinaryReader, MalformedModule } from "./binary-reader.ts";
import { BinaryWriter } from "./binary-writer.ts";
import { instrumentFunction } from "./instrument-function.ts";
import { type MemoryLimits, type ModuleInfo, SECTION, SECTION_ORDER, type Section } from "./parse-module.ts";
import { type FrozenPositions, PositionMap } from "./position-map.ts";

export interface InstrumentOptions {
  /** Most pages of 64 KiB that the memory may have. */
  readonly memoryPages: number;
  /** Most elements that all tables together may have. */
  readonly tableElements: number;
}

export interface Instrumented {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly positions: FrozenPositions;
  /** Exported function `(i32) -> i32`: sets the fuel and gives what was left; below 0 when it was used up. */
  readonly fuelExport: string;
  /** The start function, which no longer runs by itself; null where there was none. */
  readonly startExport: string | null;
}

/** Bytes of code between two points at which the caller may let other work have its turn. */
const SLICE = 64 * 1024;

/**
 * Rewrites a valid module: its functions pay with fuel, its memory and tables can't grow past the limits, its start
 * function is called by the host, sections for other engines are left out. Indices stay what they were. Yields from
 * time to time. Throws {@link MalformedModule} for what it doesn't understand.
 */
export function* instrument(
  bytes: Uint8Array,
  info: ModuleInfo,
  options: InstrumentOptions,
): Generator<void, Instrumented> {
  const names = new Set(info.exports.map(({ name }) => name));
  const fuelExport = freeName("mixerless:fuel", names);
  const startExport = info.start === null ? null : freeName("mixerless:start", names);
  const out = new BinaryWriter(bytes.length + (bytes.length >> 1) + 1024);
  out.bytes(bytes, 0, 8);
  const positions = new PositionMap();
  const work: Work = { bytes, info, options, out, positions, fuelExport, startExport };
  const byId = new Map(info.sections.filter(({ id }) => id !== SECTION.custom).map((section) => [section.id, section]));
  for (const id of SECTION_ORDER) {
    const section = byId.get(id) ?? null;
    if (id === SECTION.code) yield* writeCode(work, section);
    else (REWRITE[id] ?? copySection)(work, section);
  }
  for (const section of info.sections)
    if (section.id === SECTION.custom && section.name === "name") copySection(work, section);
  return { bytes: new Uint8Array(out.view()), positions: positions.freeze(), fuelExport, startExport };
}

interface Work {
  readonly bytes: Uint8Array;
  readonly info: ModuleInfo;
  readonly options: InstrumentOptions;
  readonly out: BinaryWriter;
  readonly positions: PositionMap;
  readonly fuelExport: string;
  readonly startExport: string | null;
}

const I32 = 0x7f;

const REWRITE: Readonly<Record<number, (work: Work, section: Section | null) => void>> = {
  [SECTION.type]: (work, section) =>
    append(work, SECTION.type, section, 1, (out) => {
      for (const byte of [0x60, 1, I32, 1, I32]) out.byte(byte);
    }),
  [SECTION.function]: (work, section) =>
    append(work, SECTION.function, section, 1, (out) => out.u32(work.info.types.length)),
  [SECTION.table]: writeTables,
  [SECTION.memory]: writeMemory,
  [SECTION.global]: (work, section) =>
    append(work, SECTION.global, section, 1, (out) => {
      // Mutable, and 0 until the host fills it: nothing runs before.
      for (const byte of [I32, 1, 0x41, 0, 0x0b]) out.byte(byte);
    }),
  [SECTION.export]: writeExports,
  [SECTION.start]: () => {},
};

function copySection({ bytes, out }: Work, section: Section | null): void {
  if (section !== null) out.bytes(bytes, section.from, section.end);
}

/** A section with `count` entries more than the module has, written by `write`. */
function append(
  work: Work,
  id: number,
  section: Section | null,
  count: number,
  write: (out: BinaryWriter) => void,
): void {
  const content = new BinaryWriter();
  if (section === null) content.u32(count);
  else {
    const reader = new BinaryReader(work.bytes, section.start, section.end);
    content.u32(reader.u32() + count);
    content.bytes(work.bytes, reader.at, section.end);
  }
  write(content);
  work.out.section(id, content);
}

function writeExports(work: Work, section: Section | null): void {
  const { info, fuelExport, startExport } = work;
  append(work, SECTION.export, section, startExport === null ? 1 : 2, (out) => {
    out.name(fuelExport);
    out.byte(0);
    out.u32(info.functions.length);
    if (startExport === null) return;
    out.name(startExport);
    out.byte(0);
    out.u32(info.start ?? 0);
  });
}

function writeMemory(work: Work, section: Section | null): void {
  const { info, options, out } = work;
  if (section === null || info.memory === null) return;
  const content = new BinaryWriter();
  content.u32(1);
  writeLimits(content, info.memory, options.memoryPages, "pages of memory");
  out.section(SECTION.memory, content);
}

function writeTables(work: Work, section: Section | null): void {
  if (section === null) return;
  const reader = new BinaryReader(work.bytes, section.start, section.end);
  const count = reader.u32();
  const content = new BinaryWriter();
  content.u32(count);
  const share = Math.floor(work.options.tableElements / Math.max(count, 1));
  for (let i = 0; i < count; i++) {
    content.byte(reader.byte());
    const flags = reader.byte();
    const initial = reader.u32();
    const maximum = (flags & 1) === 1 ? reader.u32() : null;
    writeLimits(content, { initial, maximum }, share, "elements of tables");
  }
  work.out.section(SECTION.table, content);
}

function writeLimits(out: BinaryWriter, limits: MemoryLimits, ceiling: number, what: string): void {
  if (limits.initial > ceiling) {
    throw new MalformedModule(`asks for ${limits.initial} ${what}; ${ceiling} are allowed`);
  }
  out.byte(1);
  out.u32(limits.initial);
  out.u32(Math.min(limits.maximum ?? ceiling, ceiling));
}

function* writeCode(work: Work, section: Section | null): Generator<void, void> {
  const { bytes, info, positions } = work;
  const size = section === null ? 0 : section.end - section.start;
  const content = new BinaryWriter(size + (size >> 1) + 64);
  const reader = new BinaryReader(bytes, section?.start ?? 0, section?.end ?? 0);
  const count = section === null ? 0 : reader.u32();
  content.u32(count + 1);
  let next = reader.at + SLICE;
  for (let i = 0; i < count; i++) {
    const length = reader.u32();
    const start = reader.at;
    reader.skip(length);
    const type = info.types[info.functions[info.importedFunctions + i] ?? 0] ?? ":";
    instrumentFunction(bytes, start, reader.at, type.indexOf(":"), info.globals, content, positions);
    if (reader.at >= next) {
      next = reader.at + SLICE;
      yield;
    }
  }
  writeSwap(content, info.globals);
  work.out.byte(SECTION.code);
  work.out.u32(content.length);
  positions.shift(work.out.length);
  work.out.bytes(content.view());
}

/** The function that sets the fuel and gives what was left. */
function writeSwap(content: BinaryWriter, fuel: number): void {
  const body = new BinaryWriter(32);
  body.byte(0);
  body.byte(0x23);
  body.u32(fuel);
  body.byte(0x20);
  body.byte(0);
  body.byte(0x24);
  body.u32(fuel);
  body.byte(0x0b);
  content.u32(body.length);
  content.bytes(body.view());
}

function freeName(wanted: string, taken: ReadonlySet<string>): string {
  let name = wanted;
  while (taken.has(name)) name += "'";
  return name;
}
