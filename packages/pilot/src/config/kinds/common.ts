// Shapes that several kinds share, after normalisation: durations are numbers, wrappers are unwrapped,
// absent lists and maps are empty. Everything is frozen.

/** A duration in milliseconds. */
export type Milliseconds = number;

/** Labels, annotations, header maps. Objects without a prototype, so that any key is safe to look up. */
export type StringMap = Readonly<Record<string, string>>;

/** Istio's StringMatch. `present` is the empty match: the field only has to be there. */
export interface StringMatch {
  readonly type: "exact" | "prefix" | "regex" | "present";
  /** Empty when `type` is `present`. */
  readonly value: string;
}

/** A port as ServiceEntry, Gateway and Sidecar declare it. */
export interface ConfigPort {
  readonly number: number;
  /** As written (`HTTP`, `http2`, …); empty when absent. See `model/protocol.ts` for its reading. */
  readonly protocol: string;
  readonly name: string;
  readonly targetPort?: number;
}

/** Where a route, a mirror or an egress proxy sends to. */
export interface Destination {
  /** As written; short names are resolved by the model. */
  readonly host: string;
  readonly subset?: string;
  readonly port?: number;
}

/** `selector.matchLabels` or `workloadSelector.labels`. No labels select every workload of the namespace. */
export interface WorkloadSelector {
  readonly labels: StringMap;
}

/** Attachment to a Gateway API object. Sidecars ignore resources that carry one. */
export interface TargetRef {
  readonly group: string;
  readonly kind: string;
  readonly name: string;
}

/** A JSON object that is handed on as it was written (EnvoyFilter values, plugin configurations). */
export type JsonObject = Readonly<Record<string, unknown>>;
