import type { Node } from "@mixerless/wire/envoy/config/core/v3/base";
import type { ConnectionStatus, ResourceStatus } from "./connection-status.ts";
import type { ChangedResources } from "./resource-source.ts";
import type { PeerIdentity } from "./stream-peer.ts";

/** One stream of one proxy, as the control plane and its debug pages see it. */
export interface ProxyConnection {
  /** `<node id>-<counter>`: a proxy that restarts may have two streams for a while. */
  readonly connectionId: string;
  readonly node: Node;
  readonly mode: "sotw" | "delta";
  /** What the authentication hook made of the peer, or null without a hook. */
  readonly identity: PeerIdentity | null;
  readonly peerAddress: string;
  /** Milliseconds since the epoch. */
  readonly connectedAt: number;
  /**
   * Sends what differs among `changed`, in push order, as soon as the client has answered what it was
   * sent before; never waits and never throws. `version` names the push, see `XdsServer.nextVersion`;
   * left out, this push gets a version of its own.
   */
  push(changed: ChangedResources, version?: string): void;
  status(): ConnectionStatus;
  /** The state of every resource of a type that this client holds. */
  resources(typeUrl: string): ResourceStatus[];
  /** Ends the stream with a gRPC status; the client will come back. */
  close(code: number, message: string): void;
}
