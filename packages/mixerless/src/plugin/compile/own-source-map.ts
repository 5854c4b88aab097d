import { decodeMappings, encodeMappings, type Mapping } from "@mixerless/wasm";

interface SourceMap {
  readonly sources: readonly string[];
  readonly mappings: string;
}

/**
 * The part of the compiler's source map that speaks of the author's files, JSON; a tenth of the whole, so that it can
 * travel inside the module. Null where the map can't be read.
 */
export function ownSourceMap(json: string): string | null {
  const { sources, mappings } = JSON.parse(json) as SourceMap;
  const all = decodeMappings(mappings);
  if (all === null) return null;
  const own = sources.filter(isOwn);
  const kept: Mapping[] = [];
  for (const mapping of all) {
    const source = own.indexOf(sources[mapping.source] ?? "");
    const last = kept.at(-1);
    // Between two places of the library nothing changes.
    if (source < 0 && (last === undefined || last.source < 0)) continue;
    kept.push({ ...mapping, source });
  }
  return JSON.stringify({ version: 3, sources: own, names: [], mappings: encodeMappings(kept) });
}

/** Neither of a library nor the entry that the build adds. */
function isOwn(source: string): boolean {
  return !source.startsWith("~lib/") && source !== "mixerless-entry.ts";
}
