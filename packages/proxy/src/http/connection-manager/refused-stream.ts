import { ResponseFlag } from "../../stream/response-flags.ts";
import { StreamInfo } from "../../stream/stream-info.ts";
import type { ConnectionInfo } from "../../transport/transport.ts";
import type { RefusedRequest } from "../codec.ts";
import { HeaderMap } from "../header-map.ts";
import { H } from "../header-name.ts";
import type { FilterStream } from "../http-filter.ts";
import { createFilters } from "./create-filters.ts";
import type { ManagerConfig } from "./manager-config.ts";
import type { StreamOwner } from "./stream-owner.ts";

/** Measures and logs a request that the codec has refused and answered already. */
export function logRefused(
  request: RefusedRequest,
  owner: StreamOwner,
  config: ManagerConfig,
  connection: ConnectionInfo,
): StreamInfo {
  const stream = new RefusedStream(request, owner, connection);
  const filters = createFilters(config.filters, stream, null);
  for (const filter of filters) filter.onEnd();
  for (const filter of filters) filter.onLog();
  for (const logger of config.accessLogs) logger.log(stream.info);
  return stream.info;
}

/** A stream on which nothing can be done any more. */
class RefusedStream implements FilterStream {
  readonly info: StreamInfo;
  readonly route = null;
  readonly requestComplete = false;
  readonly responseStarted = true;
  readonly bufferLimit = 0;
  readonly downstreamCongested = false;

  constructor(request: RefusedRequest, owner: StreamOwner, connection: ConnectionInfo) {
    const { clock } = owner.context;
    const now = clock.monotonic();
    this.info = new StreamInfo(owner.listener, connection, clock.now(), now, owner.filterState);
    this.info.ended = now;
    this.info.responseStarted = now;
    this.info.protocol = "HTTP/1.1";
    this.info.requestHeaders = headersOf(request);
    this.info.responseCode = request.status;
    this.info.responseCodeDetails = request.code;
    this.info.wireBytesReceived = request.wireBytesReceived;
    this.info.wireBytesSent = request.wireBytesSent;
    // Envoy's flag is for what is no HTTP; what is only refused has none.
    if (request.kind === "protocol-error") this.info.setFlag(ResponseFlag.DownstreamProtocolError);
  }

  chooseRouteAgain(): void {}
  continueDecoding(): void {}
  continueEncoding(): void {}
  passRequestHeaders(): void {}
  passRequestData(): void {}
  passRequestTrailers(): void {}
  passResponseHeaders(): void {}
  passResponseData(): void {}
  passResponseTrailers(): void {}
  pauseResponse(): void {}
  resumeResponse(): void {}
  sendLocalReply(): void {}
  resetStream(): void {}
  respondInformational(): void {}
  respondHeaders(): void {}
  respondData(): void {}
  respondTrailers(): void {}
  pauseRequest(): void {}
  resumeRequest(): void {}
}

function headersOf(request: RefusedRequest): HeaderMap {
  const headers = new HeaderMap();
  if (request.method !== null) headers.add(H.method, request.method);
  if (request.path !== null) headers.add(H.path, request.path);
  if (request.authority !== null) headers.add(H.authority, request.authority);
  return headers;
}
