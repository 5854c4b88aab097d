import type { KeySet } from "@mixerless/identity/jwt";

/** The keys of one issuer, which may have to be fetched first. */
export interface KeySource {
  /** What may be used now; null where nothing is at hand. */
  current(): KeySet | null;
  /** Whether fetching again may bring keys that are not among the current ones. */
  canRefresh(): boolean;
  /** Calls back once, with success or without; not before it returns. */
  fetch(done: () => void): { cancel(): void };
}

/** Keys that stand in the configuration. */
export function fixedKeys(keys: KeySet): KeySource {
  return {
    current: () => keys,
    canRefresh: () => false,
    fetch: () => {
      throw new Error("fixed keys are never fetched");
    },
  };
}
