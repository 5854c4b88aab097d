// Kinds that are stored here and applied by the generators.
import type { Message } from "@bufbuild/protobuf";
import type { JsonObject, Milliseconds, StringMap, TargetRef, WorkloadSelector } from "./common.ts";

/** How a policy attaches. Sidecars look at the selector and ignore resources with target references. */
export interface Attachment {
  readonly selector?: WorkloadSelector;
  readonly targetRefs: readonly TargetRef[];
}

/** networking.istio.io EnvoyFilter. */
export interface EnvoyFilterSpec extends Attachment {
  readonly priority: number;
  readonly configPatches: readonly EnvoyFilterPatch[];
}

export type ApplyTo =
  | "INVALID"
  | "LISTENER"
  | "FILTER_CHAIN"
  | "NETWORK_FILTER"
  | "HTTP_FILTER"
  | "ROUTE_CONFIGURATION"
  | "VIRTUAL_HOST"
  | "HTTP_ROUTE"
  | "CLUSTER"
  | "EXTENSION_CONFIG"
  | "BOOTSTRAP"
  | "LISTENER_FILTER";

export type PatchContext = "ANY" | "SIDECAR_INBOUND" | "SIDECAR_OUTBOUND" | "GATEWAY" | "WAYPOINT";

export type PatchOperation =
  | "INVALID"
  | "MERGE"
  | "ADD"
  | "REMOVE"
  | "INSERT_BEFORE"
  | "INSERT_AFTER"
  | "INSERT_FIRST"
  | "REPLACE";

export interface EnvoyFilterPatch {
  readonly applyTo: ApplyTo;
  readonly match: EnvoyFilterMatch;
  readonly patch: {
    readonly operation: PatchOperation;
    readonly filterClass: "UNSPECIFIED" | "AUTHN" | "AUTHZ" | "STATS";
    /** Canonical JSON of an Envoy message; absent only for REMOVE. */
    readonly value?: JsonObject;
  };
  /** The value as the message of `applyTo`. Absent for REMOVE, and for waypoints, whose patches nobody applies. */
  readonly message?: Message;
}

export interface EnvoyFilterMatch {
  readonly context: PatchContext;
  readonly proxy?: { readonly proxyVersion: string; readonly metadata: StringMap };
  readonly listener?: ListenerMatch;
  readonly routeConfiguration?: RouteConfigurationMatch;
  readonly cluster?: ClusterMatch;
  readonly waypoint?: JsonObject;
}

export interface ListenerMatch {
  readonly portNumber?: number;
  readonly portName: string;
  readonly name: string;
  readonly listenerFilter: string;
  readonly filterChain?: FilterChainMatch;
}

export interface FilterChainMatch {
  readonly name: string;
  readonly sni: string;
  readonly transportProtocol: string;
  readonly applicationProtocols: string;
  readonly destinationPort?: number;
  readonly filter?: { readonly name: string; readonly subFilter?: { readonly name: string } };
}

export interface RouteConfigurationMatch {
  readonly portNumber?: number;
  readonly portName: string;
  readonly gateway: string;
  readonly name: string;
  readonly vhost?: {
    readonly name: string;
    readonly domainName: string;
    readonly route?: { readonly name: string; readonly action: "ANY" | "ROUTE" | "REDIRECT" | "DIRECT_RESPONSE" };
  };
}

export interface ClusterMatch {
  readonly portNumber?: number;
  readonly service: string;
  readonly subset: string;
  readonly name: string;
}

/** telemetry.istio.io Telemetry. */
export interface TelemetrySpec extends Attachment {
  readonly metrics: readonly TelemetryMetrics[];
  readonly accessLogging: readonly TelemetryAccessLogging[];
  readonly tracing: readonly TelemetryTracing[];
}

export type WorkloadMode = "CLIENT_AND_SERVER" | "CLIENT" | "SERVER";

export interface TelemetryMetrics {
  readonly providers: readonly string[];
  readonly overrides: readonly MetricsOverride[];
  readonly reportingInterval?: Milliseconds;
}

export interface MetricsOverride {
  /** `ALL_METRICS`, an enum name, or the literal name of a custom metric. */
  readonly metric: string;
  readonly custom: boolean;
  readonly mode: WorkloadMode;
  readonly disabled?: boolean;
  readonly tagOverrides: Readonly<Record<string, TagOverride>>;
}

export interface TagOverride {
  readonly operation: "UPSERT" | "REMOVE";
  /** A CEL expression; empty for REMOVE. */
  readonly value: string;
}

export interface TelemetryAccessLogging {
  readonly mode: WorkloadMode;
  readonly providers: readonly string[];
  readonly disabled?: boolean;
  /** CEL. `""` is a filter that was written but says nothing. */
  readonly filter?: string;
}

export interface TelemetryTracing {
  readonly mode: WorkloadMode;
  readonly providers: readonly string[];
  /** 0 to 100. */
  readonly randomSamplingPercentage?: number;
  readonly disableSpanReporting?: boolean;
  /** Absent when not written; an empty map replaces the inherited one. */
  readonly customTags?: Readonly<Record<string, CustomTag>>;
  readonly useRequestIdForTraceSampling?: boolean;
  readonly enableIstioTags?: boolean;
  readonly disableContextPropagation?: boolean;
}

export type CustomTag =
  | { readonly type: "literal"; readonly value: string }
  | { readonly type: "formatter"; readonly value: string }
  | { readonly type: "environment"; readonly name: string; readonly defaultValue: string }
  | { readonly type: "header"; readonly name: string; readonly defaultValue: string };

/** security.istio.io PeerAuthentication. */
export interface PeerAuthenticationSpec {
  readonly selector?: WorkloadSelector;
  readonly mode: MutualTlsMode;
  readonly portLevelMtls: Readonly<Record<string, MutualTlsMode>>;
}

export type MutualTlsMode = "UNSET" | "DISABLE" | "PERMISSIVE" | "STRICT";

/** extensions.istio.io WasmPlugin. */
export interface WasmPluginSpec extends Attachment {
  readonly url: string;
  readonly sha256: string;
  readonly imagePullPolicy: "UNSPECIFIED_POLICY" | "IfNotPresent" | "Always";
  readonly imagePullSecret: string;
  readonly pluginConfig?: JsonObject;
  readonly pluginName: string;
  readonly phase: "UNSPECIFIED_PHASE" | "AUTHN" | "AUTHZ" | "STATS";
  /** Absent sorts last. */
  readonly priority?: number;
  readonly failStrategy: "FAIL_CLOSE" | "FAIL_OPEN" | "FAIL_RELOAD";
  readonly env: readonly { readonly name: string; readonly valueFrom: "INLINE" | "HOST"; readonly value: string }[];
  readonly match: readonly TrafficSelector[];
  readonly type: "UNSPECIFIED_PLUGIN_TYPE" | "HTTP" | "NETWORK";
}

export interface TrafficSelector {
  readonly mode: "UNDEFINED" | WorkloadMode;
  /** Empty: every port. */
  readonly ports: readonly number[];
}

/** networking.istio.io ProxyConfig. */
export interface ProxyConfigSpec {
  readonly selector?: WorkloadSelector;
  /** 0: as many as there are CPUs. */
  readonly concurrency?: number;
  readonly environmentVariables: StringMap;
  readonly imageType: string;
}
