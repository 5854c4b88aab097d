import type { Nack } from "./ack-ledger.ts";
import type { ProxyConnection } from "./proxy-connection.ts";

/** A response that went out. */
export interface SentResponse {
  readonly typeUrl: string;
  readonly resources: number;
  readonly removed: number;
  /** Bytes of the resources. */
  readonly bytes: number;
  /** Milliseconds that generating and comparing took. */
  readonly generateTime: number;
}

/** Told what happens, for metrics and logs [control-plane §5.10]. Must not throw. */
export interface ServerObserver {
  onConnect?(connection: ProxyConnection): void;
  onDisconnect?(connection: ProxyConnection, reason: string): void;
  /** A stream that never became a connection: missing or bad node, limits, authentication, source. */
  onRefused?(peerAddress: string, code: number, message: string): void;
  onSent?(connection: ProxyConnection, response: SentResponse): void;
  /** The transport has taken the response, `milliseconds` after it was handed over. */
  onWritten?(connection: ProxyConnection, typeUrl: string, milliseconds: number): void;
  onAck?(connection: ProxyConnection, typeUrl: string): void;
  onNack?(connection: ProxyConnection, typeUrl: string, nack: Nack | null): void;
  /** An answer to a response that was replaced meanwhile. */
  onStaleNonce?(connection: ProxyConnection, typeUrl: string): void;
  /** A client did not answer in time; pushes to it go on without. */
  onAckTimeout?(connection: ProxyConnection): void;
  /** A client did not read in time; its stream was ended. */
  onWriteTimeout?(connection: ProxyConnection): void;
  /** The session threw while it generated a type. */
  onInternalError?(connection: ProxyConnection, typeUrl: string, error: unknown): void;
}
