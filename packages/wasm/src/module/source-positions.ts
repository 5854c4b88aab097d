import { BinaryReader, MalformedModule } from "./binary-reader.ts";
import { BinaryWriter } from "./binary-writer.ts";
import { type ModuleInfo, parseModule, SECTION } from "./parse-module.ts";
import { decodeMappings, type Mapping } from "./source-map.ts";

/** The custom section by which a module names its source map; engines and their tools read it too. */
const SOURCE_MAP_SECTION = "sourceMappingURL";
const INLINE = "data:application/json;base64,";
/** Longest source map that is read: far more than modules have whose map leaves out what their authors did not write. */
const LIMIT = 1024 * 1024;

/** The places in an author's sources, where the module brings a source map along. */
export class SourcePositions {
  readonly #map: string;
  #read: { readonly sources: readonly string[]; readonly mappings: readonly Mapping[] } | null = null;

  /** `map` is the JSON of a source map; nothing is read before it is needed, which is after a failure. */
  constructor(map: string) {
    this.#map = map;
  }

  /** `file:line:column` of a byte of the module; null where the map does not say. */
  describe(position: number): string | null {
    this.#read ??= read(this.#map);
    const { sources, mappings } = this.#read;
    let low = 0;
    let high = mappings.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((mappings[middle] as Mapping).position <= position) low = middle + 1;
      else high = middle;
    }
    const found = mappings[low - 1];
    const source = found === undefined ? undefined : sources[found.source];
    return found === undefined || source === undefined ? null : `${source}:${found.line + 1}:${found.column + 1}`;
  }
}

/** The source map that a module holds; null: none, or only the address of one, which is not fetched. */
export function sourcePositionsOf(bytes: Uint8Array, info: ModuleInfo): SourcePositions | null {
  const section = info.sections.find(({ id, name }) => id === SECTION.custom && name === SOURCE_MAP_SECTION);
  if (section === undefined || section.end - section.start > LIMIT) return null;
  try {
    const reader = new BinaryReader(bytes, section.start, section.end);
    reader.name();
    const url = reader.name();
    if (!url.startsWith(INLINE)) return null;
    return new SourcePositions(Buffer.from(url.slice(INLINE.length), "base64").toString("utf8"));
  } catch (error) {
    if (error instanceof MalformedModule) return null;
    throw error;
  }
}

/** The module with this source map (JSON) inside in place of what it had. Throws where the bytes are no module. */
export function embedSourceMap(bytes: Uint8Array, map: string): Uint8Array<ArrayBuffer> {
  const info = parseModule(bytes);
  if ("fault" in info) throw new MalformedModule(info.fault);
  const out = new BinaryWriter(bytes.length + map.length * 2);
  out.bytes(bytes, 0, 8);
  for (const { id, name, from, end } of info.sections) {
    if (id !== SECTION.custom || name !== SOURCE_MAP_SECTION) out.bytes(bytes, from, end);
  }
  const content = new BinaryWriter();
  content.name(SOURCE_MAP_SECTION);
  content.name(INLINE + Buffer.from(map, "utf8").toString("base64"));
  out.section(SECTION.custom, content);
  return new Uint8Array(out.view());
}

const NOTHING = { sources: [], mappings: [] };

function read(map: string): { readonly sources: readonly string[]; readonly mappings: readonly Mapping[] } {
  try {
    const { sources, mappings } = JSON.parse(map) as { sources?: unknown; mappings?: unknown };
    if (!Array.isArray(sources) || typeof mappings !== "string") return NOTHING;
    // Names of files come from whoever built the module and stand in logs.
    const names = sources.map((source) =>
      String(source)
        .replace(/[^\x20-\x7e]/g, "?")
        .slice(0, 200),
    );
    return { sources: names, mappings: decodeMappings(mappings) ?? [] };
  } catch {
    return NOTHING;
  }
}
