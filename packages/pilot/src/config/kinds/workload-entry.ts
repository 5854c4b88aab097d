import type { StringMap } from "./common.ts";

/** networking.istio.io WorkloadEntry, also inline in a ServiceEntry and as template of a WorkloadGroup. */
export interface WorkloadEntrySpec {
  /** An IP address, a host name (DNS resolution only), `unix://…`, or empty when `network` is set. */
  readonly address: string;
  /** Port name to number. */
  readonly ports: Readonly<Record<string, number>>;
  readonly labels: StringMap;
  readonly network: string;
  /** `region/zone/subzone`, any tail may be missing. */
  readonly locality: string;
  /** 0 when absent (counts as 1). */
  readonly weight: number;
  readonly serviceAccount: string;
}
