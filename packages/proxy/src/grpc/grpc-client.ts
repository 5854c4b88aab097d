/** Pairs as they are on the wire: names in lower case, values as byte strings, those of `-bin` names in base64. */
export type GrpcMetadata = readonly (readonly [name: string, value: string])[];

export interface GrpcRequest {
  /** The endpoint is chosen by this cluster, and reached as it says: TLS, time-outs, limits. */
  readonly cluster: string;
  /** Empty: the cluster's name. */
  readonly authority: string;
  /** `/package.Service/Method`. */
  readonly path: string;
  readonly metadata: GrpcMetadata;
  /** Milliseconds until the call ends with UNAVAILABLE, as in Envoy; a server that keeps to it may say DEADLINE_EXCEEDED first. 0: never. */
  readonly timeout: number;
}

/** What becomes of a call, in this order. Nothing is called before `open` has returned, nor after a cancel. */
export interface GrpcEvents {
  /** The response's headers, `:status` among them. Not called for a response that is a status only. */
  onInitialMetadata(metadata: GrpcMetadata): void;
  /** A message without its frame; the receiver may keep it. */
  onMessage(message: Buffer): void;
  onTrailingMetadata(metadata: GrpcMetadata): void;
  /** The last event, exactly once. */
  onClose(status: number, message: string): void;
}

export interface GrpcStream {
  /** Never waits. What the peer doesn't take is kept up to a limit; beyond it the call ends with RESOURCE_EXHAUSTED. */
  send(message: Buffer, endStream: boolean): void;
  /** Ends this side without a message. */
  end(): void;
  cancel(): void;
}

/** gRPC to clusters, bytes in and bytes out. A unary call is a stream with one message each way. */
export interface GrpcClient {
  hasCluster(name: string): boolean;
  /** Null: the call can't begin, as the cluster has no healthy endpoint or is at its limit. */
  open(request: GrpcRequest, events: GrpcEvents): GrpcStream | null;
}

/** Of gRPC, those that this proxy makes itself. */
export const GrpcStatus = {
  Ok: 0,
  Cancelled: 1,
  Unknown: 2,
  DeadlineExceeded: 4,
  PermissionDenied: 7,
  ResourceExhausted: 8,
  Internal: 13,
  Unavailable: 14,
} as const;
