import { RE2JS } from "re2js";
import { Failure } from "../values/abnormal.ts";
import type { Work } from "../values/work.ts";
import { linearPattern } from "./linear-pattern.ts";
import { searchCost } from "./search-cost.ts";

/** True where the pattern is found in the text. */
export type Search = (text: string, work: Work) => boolean;

const LONGEST_PATTERN = 4096;
const SPECIAL = /[\\^$.|?*+()[\]{}]/;
/**
 * Compiles an RE2 pattern. RE2 takes linear time whatever the pattern, which matters because texts come from peers.
 * Patterns that another engine cannot take more than linear time for either, and reads alike, go the fast way.
 */
export function compileSearch(pattern: string): Search | Failure {
  if (pattern.length > LONGEST_PATTERN) return new Failure(`a pattern has ${LONGEST_PATTERN} characters at most`);
  if (!SPECIAL.test(pattern)) {
    return (text, work) => {
      work.spend(searchCost(text, pattern));
      return text.includes(pattern);
    };
  }
  try {
    const compiled = RE2JS.compile(pattern);
    const linear = linearPattern(pattern);
    if (linear !== null) {
      const fast = new RegExp(linear, "u");
      return (text, work) => {
        work.spend(text.length >> 8);
        return fast.test(text);
      };
    }
    const size = pattern.length;
    return (text, work) => {
      work.spend((text.length * size) >> 8);
      return compiled.matcher(text).find();
    };
  } catch (error) {
    return new Failure(`"${pattern.slice(0, 64)}" is not an RE2 pattern: ${(error as Error).message}`);
  }
}

/** Patterns that are computed while an expression runs, with the last one kept. */
export function createSearchCache(): (text: string, pattern: string, work: Work) => boolean | Failure {
  let last = "";
  let search: Search | Failure = () => true;
  return (text, pattern, work) => {
    if (pattern !== last) {
      work.spend(1000 + pattern.length);
      search = compileSearch(pattern);
      last = pattern;
    }
    return search instanceof Failure ? search : search(text, work);
  };
}
