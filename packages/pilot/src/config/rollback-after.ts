import type { Cursor } from "./schema/cursor.ts";
import { describe } from "./schema/reader.ts";

/** Of a WasmPlugin: failures of a new version after which the one before returns; 0: it never does. */
export const ROLLBACK_ANNOTATION = "mixerless.io/rollback-after";
/** The same for the whole mesh, in `defaultConfig.proxyMetadata`. */
export const ROLLBACK_SWITCH = "MIXERLESS_ROLLBACK_AFTER";

/** Adds a fault for what is no such number; left out is well. */
export function checkRollbackAfter(text: string | undefined, at: Cursor): void {
  if (text === undefined || /^\d{1,4}$/.test(text)) return;
  at.error(
    "bad-rollback-after",
    `${describe(text)} is no number of failures.`,
    'Write one from "1" on, or "0" for no roll-back.',
  );
}
