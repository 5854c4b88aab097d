import type { JsonObject } from "@bufbuild/protobuf";
import { create } from "@bufbuild/protobuf";
import { contentHash } from "@mixerless/wire";
import { type Cluster, ClusterSchema } from "@mixerless/wire/envoy/config/cluster/v3/cluster";
import type { ConfigFault } from "../network/config-fault.ts";
import { compileUpstreamSocket } from "../tls/transport-socket.ts";
import type { UpstreamTls, UpstreamTlsConfig } from "../tls/upstream-tls.ts";
import type { UpstreamHost } from "./upstream-host.ts";

/** How a cluster talks to its hosts: in clear, by TLS, or the one or the other by what a host's metadata say. */
export interface TransportSockets {
  /** Differs when connections made under the one may not be used under the other. */
  readonly identity: string;
  readonly matches: readonly { readonly labels: Readonly<JsonObject>; readonly tls: UpstreamTlsConfig | null }[];
  /** For hosts that no match fits; null: in clear. */
  readonly fallback: UpstreamTlsConfig | null;
}

/** Where a host says which transport socket it wants. */
const METADATA = "envoy.transport_socket_match";

export function compileTransportSockets(message: Cluster, faults: ConfigFault[]): TransportSockets {
  const { transportSocket, transportSocketMatches } = message;
  const only = create(ClusterSchema, { transportSocketMatches });
  if (transportSocket !== undefined) only.transportSocket = transportSocket;
  return {
    identity: contentHash(ClusterSchema, only),
    matches: transportSocketMatches.map((match, i) => ({
      labels: match.match ?? {},
      tls: compileUpstreamSocket(match.transportSocket, `transportSocketMatches[${i}].transportSocket`, faults),
    })),
    fallback: compileUpstreamSocket(transportSocket, "transportSocket", faults),
  };
}

/** The TLS of each host of one cluster. */
export class HostSecurity {
  readonly #matches: readonly { readonly labels: Readonly<JsonObject>; readonly tls: UpstreamTls | null }[];
  readonly #fallback: UpstreamTls | null;

  constructor(sockets: TransportSockets, createTls: (config: UpstreamTlsConfig) => UpstreamTls) {
    const make = (config: UpstreamTlsConfig | null) => (config === null ? null : createTls(config));
    this.#matches = sockets.matches.map(({ labels, tls }) => ({ labels, tls: make(tls) }));
    this.#fallback = make(sockets.fallback);
  }

  /** Null: in clear. The first match whose labels the host has all decides. */
  of(host: UpstreamHost): UpstreamTls | null {
    if (this.#matches.length === 0) return this.#fallback;
    const labels = host.metadata[METADATA] as JsonObject | undefined;
    for (const match of this.#matches) {
      if (Object.entries(match.labels).every(([key, value]) => labels?.[key] === value)) return match.tls;
    }
    return this.#fallback;
  }

  close(): void {
    for (const { tls } of this.#matches) tls?.close();
    this.#fallback?.close();
  }
}
