/** What a client hears of one stream. After `onEnd` nothing more. */
export interface StreamEvents<Response> {
  /** The server is there: it answered with headers. Servers of other make may do so with the first response only. */
  onHeaders(): void;
  onResponse(response: Response): void;
  onEnd(reason: string): void;
}

export interface DiscoveryStream<Request> {
  send(request: Request): void;
  /** Sends nothing more; what was sent arrives, then the server ends the stream. */
  end(): void;
  cancel(): void;
}

/** Opens streams to one control plane. gRPC in production, a pair of functions in tests. */
export interface DiscoveryTransport<Request, Response> {
  /** Events come later, never during this call. */
  open(events: StreamEvents<Response>): DiscoveryStream<Request>;
  close(): void;
}
