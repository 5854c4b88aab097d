import type { RefusedStream } from "../status-code.ts";

/** Who opened a stream, as far as the transport knows. */
export interface StreamPeer {
  /** `address:port`, or the path of a Unix socket. */
  readonly address: string;
  /** URI subject alternative names of the verified client certificate; SPIFFE ids are among them. */
  readonly certificateUris: readonly string[];
  /** The values of one request header, lower-case name. */
  metadata(name: string): readonly string[];
}

/** An authenticated peer. */
export interface PeerIdentity {
  /** For example SPIFFE ids. Any of them may be the one that entitles the peer. */
  readonly names: readonly string[];
}

/** Decides who a peer is. Refusals usually carry `StatusCode.unauthenticated`. */
export type Authenticate = (peer: StreamPeer) => PeerIdentity | RefusedStream | Promise<PeerIdentity | RefusedStream>;

/** Decides whether another stream is taken on now, for example by rate. Null admits. */
export type Admit = (peer: StreamPeer) => RefusedStream | null;

export function isRefused(value: object): value is RefusedStream {
  return "code" in value && "message" in value;
}
