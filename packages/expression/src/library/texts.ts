import type { MapValue, Value } from "../values/value.ts";
import type { Work } from "../values/work.ts";
import { fn, type Library, method } from "./overload.ts";
import { createSearchCache } from "./regex.ts";
import { searchCost } from "./search-cost.ts";

const HAS_SURROGATES = /[\ud800-\udfff]/;

/** The number of code points. */
export function textSize(text: string): number {
  if (!HAS_SURROGATES.test(text)) return text.length;
  let size = 0;
  for (const _ of text) size++;
  return size;
}

/** The functions of the language on texts, and `size`. */
export function texts(): Library {
  const matches = createSearchCache();
  const sized: readonly [type: string, size: (value: never) => number][] = [
    ["string", textSize],
    ["bytes", (bytes: Uint8Array) => bytes.length],
    ["list(A)", (list: readonly Value[]) => list.length],
    ["map(A, B)", (map: MapValue) => map.size],
  ];
  return [
    ...sized.flatMap(([type, size]) => [fn(`size(${type}) -> int`, size), method(`size(${type}) -> int`, size)]),
    method("contains(string, string) -> bool", (text: string, part: string, work: Work) => {
      work.spend(searchCost(text, part));
      return text.includes(part);
    }),
    method("startsWith(string, string) -> bool", (text: string, part: string) => text.startsWith(part)),
    method("endsWith(string, string) -> bool", (text: string, part: string) => text.endsWith(part)),
    method("matches(string, string) -> bool", (text: string, pattern: string, work: Work) =>
      matches(text, pattern, work),
    ),
    fn("matches(string, string) -> bool", (text: string, pattern: string, work: Work) => matches(text, pattern, work)),
  ];
}
