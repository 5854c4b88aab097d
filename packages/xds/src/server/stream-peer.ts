import type { RefusedStream } from "../status-code.ts";

/** Who opened a stream, as far as the transport knows. */
export interface StreamPeer {
  /** `address:port`, or the path of a Unix socket. */
  readonly address: string;
  /** Whether it came by TLS. */
  readonly secure: boolean;
  /** The verified client certificate, in DER; null without one. */
  readonly certificate: Uint8Array | null;
  /** The values of one request header, lower-case name. */
  metadata(name: string): readonly string[];
}

/** An authenticated peer. */
export interface PeerIdentity {
  /** For example SPIFFE ids. Any of them may be the one that entitles the peer. */
  readonly names: readonly string[];
  /** The certificate that it has shown; left out where it has proven itself otherwise. */
  readonly certificate?: {
    /** Lower-case hexadecimal. */
    readonly serial: string;
    /** Milliseconds since the epoch. */
    readonly notAfter: number;
    /** DER. */
    readonly raw: Uint8Array;
  };
}

/** Decides who a peer is; null is nobody in particular, who is let in all the same. Refusals usually carry `StatusCode.unauthenticated`. */
export type Authenticate = (
  peer: StreamPeer,
) => PeerIdentity | null | RefusedStream | Promise<PeerIdentity | null | RefusedStream>;

/** Decides whether another stream is taken on now, for example by rate. Null admits. */
export type Admit = (peer: StreamPeer) => RefusedStream | null;

export function isRefused(value: object): value is RefusedStream {
  return "code" in value && "message" in value;
}
