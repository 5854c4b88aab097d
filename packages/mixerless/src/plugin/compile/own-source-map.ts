import { decodeMappings, encodeMappings, ownMappings, parseModule } from "@mixerless/wasm";

interface SourceMap {
  readonly sources: readonly string[];
  readonly mappings: string;
}

/**
 * The part of the compiler's source map that speaks of the author's files, JSON; a tenth of the whole, so that it can
 * travel inside the module. Null where map or module can't be read.
 */
export function ownSourceMap(wasm: Uint8Array, json: string): string | null {
  const { sources, mappings } = JSON.parse(json) as SourceMap;
  const all = decodeMappings(mappings);
  const info = parseModule(wasm);
  if (all === null || "fault" in info) return null;
  const own = sources.filter(isOwn);
  const places = sources.map((source) => own.indexOf(source));
  const kept = ownMappings(wasm, info, all, (source) => (places[source] ?? -1) >= 0);
  const named = kept.map((mapping) => ({ ...mapping, source: places[mapping.source] ?? -1 }));
  return JSON.stringify({ version: 3, sources: own, names: [], mappings: encodeMappings(named) });
}

/** Neither of a library nor the entry that the build adds. */
function isOwn(source: string): boolean {
  return !source.startsWith("~lib/") && source !== "mixerless-entry.ts";
}
