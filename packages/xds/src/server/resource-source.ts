import type { Any } from "@bufbuild/protobuf/wkt";
import type { Node } from "@mixerless/wire/envoy/config/core/v3/base";
import type { RefusedStream } from "../status-code.ts";
import type { ProxyConnection } from "./proxy-connection.ts";

/** One resource as a proxy is to have it. */
export interface GeneratedResource {
  /** Changes when and only when the content does, for example a hash. Never "". */
  readonly version: string;
  readonly any: Any;
  /**
   * Clusters only: name of the ClusterLoadAssignment that the cluster waits for, when it is not the
   * cluster's own name. A changed cluster warms until that assignment is sent again.
   */
  readonly endpointName?: string;
}

export type GeneratedResources = ReadonlyMap<string, GeneratedResource>;

/** Where a server's resources come from. The control plane implements it. */
export interface ResourceSource {
  /** Called with the first request of every stream. `node` has passed the server's node check. */
  open(node: Node, connectionId: string, connection: ProxyConnection): ProxySession | RefusedStream;
}

/** The resources of one proxy on one stream. */
export interface ProxySession {
  /**
   * The current resources of a type: those of `names` that exist, or all. Exactly what is missing from
   * the answer does not exist; a source that wants an unknown name answered (an empty RouteConfiguration
   * or ClusterLoadAssignment, so that nothing hangs) includes it. `undefined`: this type is not served
   * and its requests stay unanswered.
   */
  generate(typeUrl: string, names: ReadonlySet<string> | "wildcard"): GeneratedResources | undefined;
  /** The agent's verdict on the workload behind the proxy; `reason` when it is unhealthy. */
  onHealth?(healthy: boolean, reason: string): void;
  onClose(): void;
}

/** Type URL → names that may have changed. Names are as good as "all", only cheaper. */
export type ChangedResources = ReadonlyMap<string, ReadonlySet<string> | "all">;
