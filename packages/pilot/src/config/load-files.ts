import { SystemClock } from "@mixerless/clock";
import { ConfigStore } from "./config-store.ts";
import { FileSource } from "./file-source.ts";

/** Reads directories and files once, without watching. The faults are in the store. */
export async function loadFiles(paths: readonly string[]): Promise<ConfigStore> {
  const store = new ConfigStore();
  // Without watching no time is asked for.
  const source = new FileSource({ paths, store, clock: new SystemClock(), watch: false });
  await source.start();
  source.close();
  return store;
}
