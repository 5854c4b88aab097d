import { BinaryReader } from "./binary-reader.ts";
import { type ModuleInfo, SECTION } from "./parse-module.ts";
import type { Mapping } from "./source-map.ts";

/**
 * The part of a module's mappings whose sources are the author's own. Inside a function of the author's, code of a
 * library was inlined and belongs to the line that asked for it; other functions have no place at all. `mappings` are in
 * ascending order.
 */
export function ownMappings(
  bytes: Uint8Array,
  info: ModuleInfo,
  mappings: readonly Mapping[],
  isOwn: (source: number) => boolean,
): Mapping[] {
  const own: Mapping[] = [];
  let at = 0;
  for (const { start, end } of functionBodies(bytes, info)) {
    while (at < mappings.length && (mappings[at] as Mapping).position < start) at++;
    const first = at;
    while (at < mappings.length && (mappings[at] as Mapping).position < end) at++;
    const inside = mappings.slice(first, at).filter(({ source }) => source < 0 || isOwn(source));
    if (!inside.some(({ source }) => source >= 0)) continue;
    own.push(...inside, { position: end, source: -1, line: 0, column: 0 });
  }
  return own;
}

function functionBodies(bytes: Uint8Array, info: ModuleInfo): { readonly start: number; readonly end: number }[] {
  const section = info.sections.find(({ id }) => id === SECTION.code);
  if (section === undefined) return [];
  const reader = new BinaryReader(bytes, section.start, section.end);
  const bodies = [];
  for (let left = reader.u32(); left > 0; left--) {
    const size = reader.u32();
    bodies.push({ start: reader.at, end: reader.at + size });
    reader.skip(size);
  }
  return bodies;
}
