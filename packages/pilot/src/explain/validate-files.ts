import type { Fault } from "../config/fault.ts";
import { loadFiles } from "../config/load-files.ts";
import { authorizationFaults } from "../generators/security/authorization-faults.ts";
import { createPushContext } from "../model/create-push-context.ts";

export interface ValidationReport {
  /** Objects that are valid. */
  readonly objects: number;
  readonly errors: number;
  readonly warnings: number;
  /** By file and line; what is in use and cannot be enforced as written comes last. */
  readonly faults: readonly Fault[];
}

/** Says what a control plane would make of these files. */
export async function validateFiles(paths: readonly string[]): Promise<ValidationReport> {
  const store = await loadFiles(paths);
  const faults = [...store.faults(), ...authorizationFaults(createPushContext(store.snapshot()))];
  const errors = faults.filter((fault) => fault.severity === "error").length;
  return { objects: store.snapshot().size, errors, warnings: faults.length - errors, faults };
}
