import type { ConfigObject } from "../config/config-object.ts";
import type { StringMap } from "../config/kinds/common.ts";
import type { ContainerPort } from "../config/kinds/kubernetes.ts";
import type { Locality } from "./locality.ts";

/** A Pod or WorkloadEntry, read once for everything that asks about it. */
export interface Workload {
  /** Name of the object. */
  readonly name: string;
  readonly namespace: string;
  readonly labels: StringMap;
  readonly addresses: readonly string[];
  /** Telemetry §1.6. */
  readonly workloadName: string;
  readonly canonicalName: string;
  /** `latest` when nothing says otherwise. */
  readonly canonicalRevision: string;
  readonly serviceAccount: string;
  readonly network: string;
  readonly clusterId: string;
  readonly locality: Locality;
  readonly weight: number;
  readonly ready: boolean;
  readonly tlsMode: "istio" | "disabled";
  /** Ports of the containers (Pod), for named target ports. */
  readonly containerPorts: readonly ContainerPort[];
  /** Port names with numbers (WorkloadEntry). */
  readonly namedPorts: Readonly<Record<string, number>>;
  readonly config: ConfigObject<"Pod"> | ConfigObject<"WorkloadEntry">;
}
