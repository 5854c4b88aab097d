/** How a call ended; 0 is success, others are gRPC's codes. */
export interface CallResult {
  readonly code: number;
  readonly message: string;
}

/** Unary calls to one endpoint, bytes in. */
export interface CloudTransport {
  /** `path` is `/package.Service/Method`; `token` is shown as bearer, null for none. Settles by `timeout` milliseconds; never rejects. */
  call(path: string, message: Uint8Array, token: string | null, timeout: number): Promise<CallResult>;
  close(): void;
}

export const GrpcCode = {
  Ok: 0,
  Cancelled: 1,
  Unknown: 2,
  DeadlineExceeded: 4,
  ResourceExhausted: 8,
  Aborted: 10,
  Internal: 13,
  Unavailable: 14,
  Unauthenticated: 16,
} as const;

const TRANSIENT: ReadonlySet<number> = new Set([
  ...[GrpcCode.Unknown, GrpcCode.DeadlineExceeded, GrpcCode.ResourceExhausted, GrpcCode.Aborted, GrpcCode.Internal],
  ...[GrpcCode.Unavailable, GrpcCode.Unauthenticated, GrpcCode.Cancelled],
]);

/** Whether the same call may succeed later. */
export function isTransient(code: number): boolean {
  return TRANSIENT.has(code);
}
