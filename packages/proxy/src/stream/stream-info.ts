import type { HeaderMap } from "../http/header-map.ts";
import type { ConnectionInfo, SocketAddress } from "../transport/transport.ts";
import type { Cluster } from "../upstream/cluster.ts";
import type { Host } from "../upstream/host.ts";
import { FilterState } from "./filter-state.ts";

/** What every stream of one listener's filter chain has in common. */
export interface ListenerFacts {
  readonly name: string;
  /** UNSPECIFIED, INBOUND, OUTBOUND as `envoy.config.core.v3.TrafficDirection` numbers them: 0, 1, 2. */
  readonly direction: number;
  readonly filterChainName: string;
  /** `filter_metadata` of the listener, plain JSON. */
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** The route entry that a request took. */
export interface RouteFacts {
  /** Empty when the entry has no name. */
  readonly name: string;
  readonly virtualHost: string;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly virtualHostMetadata: Readonly<Record<string, unknown>>;
}

/** The facts of one HTTP stream or TCP connection, filled in along its way. Times are `Clock.monotonic()` milliseconds. */
export class StreamInfo {
  readonly listener: ListenerFacts;
  readonly downstream: ConnectionInfo;
  /** Who asks: the connection's peer, or whom `x-forwarded-for` names where that header is trusted. */
  remoteAddress: SocketAddress;
  readonly filterState: FilterState;

  /** `Clock.now()` at the first byte. */
  readonly startTime: number;
  readonly started: number;
  requestReceived: number | null = null;
  upstreamConnected: number | null = null;
  upstreamFirstByteSent: number | null = null;
  upstreamLastByteSent: number | null = null;
  upstreamResponseStarted: number | null = null;
  upstreamResponseEnded: number | null = null;
  responseStarted: number | null = null;
  ended: number | null = null;

  /** "HTTP/1.1" and so on; "" for TCP. */
  protocol = "";
  requestHeaders: HeaderMap | null = null;
  requestTrailers: HeaderMap | null = null;
  responseHeaders: HeaderMap | null = null;
  responseTrailers: HeaderMap | null = null;
  /** 0 until a response has started. */
  responseCode = 0;
  responseCodeDetails: string | null = null;
  connectionTerminationDetails: string | null = null;
  /** Of a response that the proxy made itself, before a format; null for all others. */
  localReplyBody: string | null = null;
  /** Bits of ResponseFlag. */
  responseFlags = 0;

  /** Body bytes (HTTP) or payload bytes (TCP), seen from downstream. */
  bytesReceived = 0;
  bytesSent = 0;
  /** All bytes of the stream on the downstream connection, framing included. */
  wireBytesReceived = 0;
  wireBytesSent = 0;
  upstreamWireBytesReceived = 0;
  upstreamWireBytesSent = 0;

  route: RouteFacts | null = null;
  /** The cluster that was chosen, also when no host of it could be. */
  cluster: Cluster | null = null;
  upstreamHost: Host | null = null;
  upstreamConnection: ConnectionInfo | null = null;
  /** As `protocol`, of the upstream connection. */
  upstreamProtocol = "";
  upstreamTransportFailure: string | null = null;
  /** Why the downstream's handshake came to nothing. */
  downstreamTransportFailure: string | null = null;
  /** Set while the log of the listener prints it, rather than that of a filter. */
  loggedByListener = false;
  /** Attempts made so far; 1 without retries. */
  attemptCount = 0;
  /** `filter_metadata` that filters set at run time. */
  dynamicMetadata: Record<string, unknown> | null = null;

  constructor(
    listener: ListenerFacts,
    downstream: ConnectionInfo,
    startTime: number,
    started: number,
    connectionState: FilterState | null = null,
  ) {
    this.listener = listener;
    this.downstream = downstream;
    this.remoteAddress = downstream.remoteAddress;
    this.startTime = startTime;
    this.started = started;
    this.filterState = new FilterState(connectionState);
  }

  setFlag(flag: number): void {
    this.responseFlags |= flag;
  }
}
