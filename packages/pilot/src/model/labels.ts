import type { StringMap } from "../config/kinds/common.ts";

/** Whether a workload with `labels` has everything that `selector` asks for. An empty selector takes any. */
export function selectorMatches(selector: StringMap, labels: StringMap): boolean {
  for (const key of Object.keys(selector)) {
    if (!Object.hasOwn(labels, key) || labels[key] !== selector[key]) return false;
  }
  return true;
}

/** Labels in one object without prototype; later ones win. */
export function mergeLabels(...parts: readonly StringMap[]): StringMap {
  return Object.freeze(Object.assign(Object.create(null) as Record<string, string>, ...parts));
}
