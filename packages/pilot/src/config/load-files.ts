import { SystemClock } from "@mixerless/clock";
import { ConfigStore } from "./config-store.ts";
import type { Fault } from "./fault.ts";
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

export interface ValidationReport {
  /** Objects that are valid. */
  readonly objects: number;
  readonly errors: number;
  readonly warnings: number;
  /** By file and line. */
  readonly faults: readonly Fault[];
}

/** Says what a control plane would make of these files. */
export async function validateFiles(paths: readonly string[]): Promise<ValidationReport> {
  const store = await loadFiles(paths);
  const faults = store.faults();
  const errors = faults.filter((fault) => fault.severity === "error").length;
  return { objects: store.snapshot().size, errors, warnings: faults.length - errors, faults };
}
