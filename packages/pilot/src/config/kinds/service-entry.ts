import type { ConfigPort, WorkloadSelector } from "./common.ts";
import type { WorkloadEntrySpec } from "./workload-entry.ts";

/** networking.istio.io ServiceEntry. */
export interface ServiceEntrySpec {
  readonly hosts: readonly string[];
  /** IP addresses or CIDR ranges. */
  readonly addresses: readonly string[];
  readonly ports: readonly ConfigPort[];
  readonly location: "MESH_EXTERNAL" | "MESH_INTERNAL";
  readonly resolution: ServiceEntryResolution;
  readonly endpoints: readonly WorkloadEntrySpec[];
  readonly workloadSelector?: WorkloadSelector;
  readonly exportTo: readonly string[];
  readonly subjectAltNames: readonly string[];
}

export type ServiceEntryResolution = "NONE" | "STATIC" | "DNS" | "DNS_ROUND_ROBIN" | "DYNAMIC_DNS";
