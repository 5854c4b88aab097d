/** What a `proxy_*` function answers [proxy-wasm §4]. */
export const Status = {
  Ok: 0,
  NotFound: 1,
  BadArgument: 2,
  SerializationFailure: 3,
  ParseFailure: 4,
  BadExpression: 5,
  InvalidMemoryAccess: 6,
  Empty: 7,
  CasMismatch: 8,
  ResultMismatch: 9,
  InternalFailure: 10,
  BrokenConnection: 11,
  Unimplemented: 12,
} as const;

/** Header maps by their number. */
export const HeaderMapType = {
  RequestHeaders: 0,
  RequestTrailers: 1,
  ResponseHeaders: 2,
  ResponseTrailers: 3,
  GrpcInitialMetadata: 4,
  GrpcTrailingMetadata: 5,
  HttpCallHeaders: 6,
  HttpCallTrailers: 7,
} as const;

export const BufferType = {
  RequestBody: 0,
  ResponseBody: 1,
  DownstreamData: 2,
  UpstreamData: 3,
  HttpCallBody: 4,
  GrpcMessage: 5,
  VmConfiguration: 6,
  PluginConfiguration: 7,
  CallData: 8,
} as const;

export const StreamType = { Request: 0, Response: 1, Downstream: 2, Upstream: 3 } as const;

export const MetricKind = { Counter: 0, Gauge: 1, Histogram: 2 } as const;

/** Answers of header callbacks, as the proxy has to obey them. */
export const HeadersResult = {
  Continue: 0,
  StopIteration: 1,
  ContinueAndEndStream: 2,
  StopAllAndBuffer: 3,
  StopAllAndWatermark: 4,
} as const;

/** Answers of body callbacks. */
export const BodyResult = { Continue: 0, StopAndBuffer: 1, StopAndWatermark: 2, StopNoBuffer: 3 } as const;

/** Answers of trailer and network callbacks. */
export const FlowResult = { Continue: 0, Stop: 1 } as const;

/** Who closed a connection. */
export const PeerType = { Unknown: 0, Local: 1, Remote: 2 } as const;
