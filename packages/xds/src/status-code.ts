/** The gRPC status codes that streams end with or that a NACK carries. */
export const StatusCode = {
  ok: 0,
  invalidArgument: 3,
  deadlineExceeded: 4,
  permissionDenied: 7,
  resourceExhausted: 8,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
  unauthenticated: 16,
} as const;

/** Why a stream is not served, or no longer. */
export interface RefusedStream {
  /** A gRPC status code, see {@link StatusCode}. */
  readonly code: number;
  /** Sent to the peer. */
  readonly message: string;
}
