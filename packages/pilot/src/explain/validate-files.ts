import type { Fault } from "../config/fault.ts";
import { loadFiles } from "../config/load-files.ts";
import { generateListeners } from "../generators/listeners/listeners.ts";
import { authorizationFaults } from "../generators/security/authorization-faults.ts";
import { createPushContext } from "../model/create-push-context.ts";
import type { PushContext } from "../model/push-context.ts";
import { envoyFilterReport } from "../push/envoy-filter-report.ts";
import { telemetryFaults } from "../telemetry/telemetry-faults.ts";
import { workloadProxies } from "./workload-proxies.ts";

export interface ValidationReport {
  /** Objects that are valid. */
  readonly objects: number;
  readonly errors: number;
  readonly warnings: number;
  /** By file and line; what is in use and cannot be enforced as written comes last. */
  readonly faults: readonly Fault[];
}

/** Says what a control plane would make of these files, for the proxies of the workloads that they tell of. */
export async function validateFiles(paths: readonly string[], istioVersion = ""): Promise<ValidationReport> {
  const store = await loadFiles(paths);
  const push = createPushContext(store.snapshot());
  const faults = [
    ...store.faults(),
    ...telemetryFaults(push),
    ...authorizationFaults(push),
    ...patchFaults(push, istioVersion),
  ];
  const errors = faults.filter((fault) => fault.severity === "error").length;
  return { objects: store.snapshot().size, errors, warnings: faults.length - errors, faults };
}

/** Of a workload without listeners in these files, nothing can be said about what patches find. */
function patchFaults(push: PushContext, istioVersion: string): readonly Fault[] {
  const facts = { push, telemetry: "native", mutualTls: false } as const;
  const proxies = workloadProxies(push, istioVersion).filter(
    (proxy) => generateListeners({ ...facts, proxy }).length > 0,
  );
  return envoyFilterReport(facts, proxies).faults;
}
