import { BinaryReader, MalformedModule } from "./binary-reader.ts";
import { letterOf, type Signature } from "./signature.ts";

export type ExternKind = "function" | "table" | "memory" | "global" | "tag";

const KINDS: readonly ExternKind[] = ["function", "table", "memory", "global", "tag"];

export interface ModuleImport {
  readonly module: string;
  readonly name: string;
  readonly kind: ExternKind;
  /** Of functions. */
  readonly signature: Signature | null;
}

export interface ModuleExport {
  readonly name: string;
  readonly kind: ExternKind;
  readonly index: number;
}

export interface MemoryLimits {
  /** Pages of 64 KiB. */
  readonly initial: number;
  readonly maximum: number | null;
}

export interface Section {
  readonly id: number;
  /** First byte of the section's id. */
  readonly from: number;
  readonly start: number;
  readonly end: number;
  /** Of custom sections. */
  readonly name: string;
}

/** What the sections outside the code say. */
export interface ModuleInfo {
  readonly sections: readonly Section[];
  readonly types: readonly Signature[];
  readonly imports: readonly ModuleImport[];
  readonly exports: readonly ModuleExport[];
  /** Types of all functions by index, the imported ones first. */
  readonly functions: readonly number[];
  readonly importedFunctions: number;
  readonly importedMemories: number;
  readonly globals: number;
  readonly memory: MemoryLimits | null;
  /** The function of the start section. */
  readonly start: number | null;
}

/** Ids of sections in the order that a module must keep. */
export const SECTION = {
  custom: 0,
  type: 1,
  import: 2,
  function: 3,
  table: 4,
  memory: 5,
  tag: 13,
  global: 6,
  export: 7,
  start: 8,
  element: 9,
  dataCount: 12,
  code: 10,
  data: 11,
} as const;

export const SECTION_ORDER: readonly number[] = [1, 2, 3, 4, 5, 13, 6, 7, 8, 9, 12, 10, 11];

/** Most entries of one section: what real modules stay far below and a hostile count may not reach. */
const ENTRY_LIMIT = 1_000_000;

interface Draft {
  sections: Section[];
  types: Signature[];
  imports: ModuleImport[];
  exports: ModuleExport[];
  functions: number[];
  importedFunctions: number;
  importedMemories: number;
  globals: number;
  memory: MemoryLimits | null;
  start: number | null;
}

/** Reads a module's sections but for its code and data, or says what is wrong with it. */
export function parseModule(bytes: Uint8Array): ModuleInfo | { readonly fault: string } {
  try {
    return readModule(bytes);
  } catch (error) {
    if (error instanceof MalformedModule) return { fault: error.message };
    throw error;
  }
}

function readModule(bytes: Uint8Array): ModuleInfo {
  const header = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];
  if (bytes.length < 8 || header.some((byte, at) => bytes[at] !== byte)) {
    throw new MalformedModule("does not begin with the header of a Wasm module, version 1");
  }
  const draft: Draft = {
    ...{ sections: [], types: [], imports: [], exports: [], functions: [] },
    ...{ importedFunctions: 0, importedMemories: 0, globals: 0, memory: null, start: null },
  };
  const reader = new BinaryReader(bytes, 8);
  let last = -1;
  while (!reader.done) {
    const section = readSection(bytes, reader, draft);
    const place = SECTION_ORDER.indexOf(section.id);
    if (section.id === SECTION.custom) continue;
    if (place < 0) throw new MalformedModule(`has an unknown section ${section.id} at byte ${section.from}`);
    if (place <= last) throw new MalformedModule(`section ${section.id} at byte ${section.from} is out of order`);
    last = place;
  }
  return draft;
}

function readSection(bytes: Uint8Array, reader: BinaryReader, draft: Draft): Section {
  const from = reader.at;
  const id = reader.byte();
  const size = reader.u32();
  const start = reader.at;
  reader.skip(size);
  const content = new BinaryReader(bytes, start, start + size);
  const name = id === SECTION.custom ? content.name() : "";
  const section: Section = { id, from, start, end: start + size, name };
  draft.sections.push(section);
  const read = CONTENT[id];
  if (read !== undefined) {
    read(content, draft);
    if (!content.done) throw new MalformedModule(`section ${id} is longer than its content at byte ${content.at}`);
  }
  return section;
}

const CONTENT: Readonly<Record<number, (reader: BinaryReader, draft: Draft) => void>> = {
  [SECTION.type]: readTypes,
  [SECTION.import]: readImports,
  [SECTION.function]: (reader, draft) => repeat(reader, () => draft.functions.push(typeIndex(reader, draft))),
  [SECTION.memory]: (reader, draft) => repeat(reader, () => takeMemory(reader, draft)),
  [SECTION.global]: readGlobals,
  [SECTION.export]: readExports,
  [SECTION.start]: (reader, draft) => {
    draft.start = reader.u32();
  },
};

function repeat(reader: BinaryReader, read: () => void): void {
  const count = reader.u32();
  if (count > ENTRY_LIMIT) throw new MalformedModule(`a section announces ${count} entries`);
  for (let i = 0; i < count; i++) read();
}

function readTypes(reader: BinaryReader, draft: Draft): void {
  repeat(reader, () => {
    const form = reader.byte();
    if (form !== 0x60) throw new MalformedModule(`has a type of form 0x${form.toString(16)}, which is not supported`);
    draft.types.push(`${valueTypes(reader)}:${valueTypes(reader)}`);
  });
}

function valueTypes(reader: BinaryReader): string {
  let letters = "";
  repeat(reader, () => {
    letters += valueType(reader);
  });
  return letters;
}

function valueType(reader: BinaryReader): string {
  const type = reader.byte();
  const letter = letterOf(type);
  if (letter === null) throw new MalformedModule(`has a value of type 0x${type.toString(16)}, which is not supported`);
  return letter;
}

function typeIndex(reader: BinaryReader, draft: Draft): number {
  const index = reader.u32();
  if (index >= draft.types.length) throw new MalformedModule(`names type ${index}, which does not exist`);
  return index;
}

function readImports(reader: BinaryReader, draft: Draft): void {
  repeat(reader, () => {
    const module = reader.name();
    const name = reader.name();
    const kind = externKind(reader);
    let signature: Signature | null = null;
    if (kind === "function") {
      const type = typeIndex(reader, draft);
      draft.functions.push(type);
      draft.importedFunctions++;
      signature = draft.types[type] ?? null;
    } else if (kind === "table") {
      reader.byte();
      readLimits(reader);
    } else if (kind === "memory") {
      takeMemory(reader, draft);
      draft.importedMemories++;
    } else if (kind === "global") {
      valueType(reader);
      reader.byte();
      draft.globals++;
    } else {
      reader.byte();
      typeIndex(reader, draft);
    }
    draft.imports.push({ module, name, kind, signature });
  });
}

function externKind(reader: BinaryReader): ExternKind {
  const kind = KINDS[reader.byte()];
  if (kind === undefined) throw new MalformedModule(`has an unknown kind of import or export at byte ${reader.at - 1}`);
  return kind;
}

function readLimits(reader: BinaryReader): MemoryLimits {
  const flags = reader.byte();
  if (flags > 1) throw new MalformedModule("asks for a shared or 64-bit memory, which is not supported");
  const initial = reader.u32();
  return { initial, maximum: flags === 1 ? reader.u32() : null };
}

function takeMemory(reader: BinaryReader, draft: Draft): void {
  if (draft.memory !== null) throw new MalformedModule("has more than one memory, which is not supported");
  draft.memory = readLimits(reader);
}

/** The initial values are skipped instruction by instruction: they are constant expressions of few kinds. */
function readGlobals(reader: BinaryReader, draft: Draft): void {
  repeat(reader, () => {
    valueType(reader);
    reader.byte();
    skipConstantExpression(reader);
    draft.globals++;
  });
}

function skipConstantExpression(reader: BinaryReader): void {
  for (;;) {
    const opcode = reader.byte();
    if (opcode === 0x0b) return;
    if (opcode === 0x43) reader.skip(4);
    else if (opcode === 0x44) reader.skip(8);
    else if (opcode === 0xfd) {
      reader.u32();
      reader.skip(16);
    } else if (opcode === 0x41 || opcode === 0x42 || opcode === 0x23 || opcode === 0xd2) reader.skipLeb();
    else if (opcode === 0xd0) reader.byte();
    else if (!(opcode >= 0x6a && opcode <= 0x6c) && !(opcode >= 0x7c && opcode <= 0x7e)) {
      throw new MalformedModule(`has instruction 0x${opcode.toString(16)} where a constant is due`);
    }
  }
}

function readExports(reader: BinaryReader, draft: Draft): void {
  repeat(reader, () => {
    const name = reader.name();
    draft.exports.push({ name, kind: externKind(reader), index: reader.u32() });
  });
}
