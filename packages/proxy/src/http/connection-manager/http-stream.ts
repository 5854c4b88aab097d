import { ResponseFlag } from "../../stream/response-flags.ts";
import { StreamInfo } from "../../stream/stream-info.ts";
import type { RequestDecoder, ResetReason, ResponseEncoder } from "../codec.ts";
import { isGrpcRequest } from "../grpc.ts";
import { HeaderMap } from "../header-map.ts";
import { H } from "../header-name.ts";
import type { FilterStream, LocalReply } from "../http-filter.ts";
import type { RouteEntry } from "../routing/route-entry.ts";
import type { RouteTable } from "../routing/route-table.ts";
import { checkRequest, countRefusal } from "./check-request.ts";
import { createFilters } from "./create-filters.ts";
import { FilterIteration } from "./filter-iteration.ts";
import { prepareReply } from "./local-reply.ts";
import type { ManagerConfig } from "./manager-config.ts";
import { prepareRequestHeaders } from "./request-headers.ts";
import { prepareResponseHeaders } from "./response-headers.ts";
import { streamDuration } from "./stream-duration.ts";
import type { StreamOwner } from "./stream-owner.ts";
import { StreamTimers, type StreamTimerTarget } from "./stream-timers.ts";

/** One request with its response, from the codec through the filters and back. */
export class HttpStream extends FilterIteration implements RequestDecoder, FilterStream, StreamTimerTarget {
  readonly info: StreamInfo;
  readonly #owner: StreamOwner;
  readonly #config: ManagerConfig;
  readonly #encoder: ResponseEncoder;
  #timers: StreamTimers | null = null;
  #routes: RouteTable | null = null;
  #prepared = false;
  #ended = false;
  #upgraded = false;
  route: RouteEntry | null = null;
  requestComplete = false;
  responseStarted = false;

  constructor(owner: StreamOwner, config: ManagerConfig, encoder: ResponseEncoder) {
    super();
    const { clock } = owner.context;
    this.#owner = owner;
    this.#config = config;
    this.#encoder = encoder;
    this.info = new StreamInfo(owner.listener, encoder.connection, clock.now(), clock.monotonic(), owner.filterState);
    this.info.protocol = encoder.protocol;
  }

  // The codec's side.

  onHeaders(headers: HeaderMap, endStream: boolean): void {
    const { started } = this.info;
    this.info.requestHeaders = headers;
    if (endStream) this.#completeRequest(started);
    this.#startTimers(started);
    this.#answerExpectation(headers);
    const refused = checkRequest(headers, this.#config, this.info.downstream.localAddress.port);
    if (refused !== null) {
      countRefusal(refused, this.#owner.stats);
      this.sendLocalReply(refused);
      return;
    }
    this.#prepare(headers);
    if (!this.#ended && !this.decodingOver) this.decodeHeadersFrom(0, headers, endStream);
  }

  onData(buffer: Buffer, start: number, end: number, endStream: boolean): void {
    this.info.bytesReceived += end - start;
    const now = this.#owner.context.clock.monotonic();
    this.#timers?.touch(now);
    if (endStream) this.#completeRequest(now);
    if (!this.decodingOver) this.decodeDataFrom(0, buffer, start, end, endStream);
  }

  onTrailers(trailers: HeaderMap): void {
    this.info.requestTrailers = trailers;
    this.#completeRequest(this.#owner.context.clock.monotonic());
    if (!this.decodingOver) this.decodeTrailersFrom(0, trailers);
  }

  onReset(reason: ResetReason): void {
    if (this.#ended) return;
    this.#owner.stats.resetByClient.add(1);
    this.#setResetFacts(reason);
    this.#end();
  }

  onDrain(): void {
    const last = this.filters[this.filters.length - 1];
    if (!this.#ended) last?.onDownstreamDrain();
  }

  // The filters' side.

  get bufferLimit(): number {
    const action = this.route?.action;
    const own = action?.kind === "forward" ? action.bufferLimit : null;
    const { bufferLimit } = this.#config;
    return own === null ? bufferLimit : Math.min(own, bufferLimit);
  }

  get downstreamCongested(): boolean {
    return this.#encoder.congested;
  }

  pauseRequest(): void {
    if (!this.#ended) this.#encoder.pauseReading();
  }

  resumeRequest(): void {
    if (!this.#ended) this.#encoder.resumeReading();
  }

  /**
   * Answers in place of the upstream. Where filters are at work on a response of which the client has seen nothing, the
   * reply takes its place and passes by the filters; where the client has seen its head, the stream is reset. As Envoy.
   */
  sendLocalReply(original: LocalReply): void {
    if (this.#ended) return;
    this.info.setFlag(original.flags);
    if (this.responseStarted) {
      this.resetStream(original.details);
      return;
    }
    const replaces = this.info.responseHeaders !== null;
    const headers = this.info.requestHeaders ?? new HeaderMap();
    if (!this.#prepared) this.#prepare(headers);
    this.decodingOver = true;
    this.encodingOver = replaces;
    this.info.responseCodeDetails = original.details;
    this.info.localReplyBody = original.body;
    const reply = this.#config.localReply?.(original, this.info) ?? original;
    const head = headers.get(H.method) === "HEAD";
    const { headers: answer, body } = prepareReply(reply, isGrpcRequest(headers), head);
    if (replaces) {
      this.info.responseHeaders = answer;
      this.info.responseTrailers = null;
      this.sendHeaders(answer, body === "");
    } else this.respondHeaders(answer, body === "");
    if (body === "" || this.#ended) return;
    const bytes = Buffer.from(body, "latin1");
    if (replaces) this.sendData(bytes, 0, bytes.length, true);
    else this.respondData(bytes, 0, bytes.length, true);
  }

  resetStream(details: string): void {
    if (this.#ended) return;
    this.info.responseCodeDetails = details;
    this.#owner.stats.resetByProxy.add(1);
    this.#encoder.reset("local");
    this.#end();
  }

  respondInformational(headers: HeaderMap): void {
    if (!this.#ended && !this.responseStarted && this.#config.proxy100Continue)
      this.#encoder.sendInformational(headers);
  }

  respondHeaders(headers: HeaderMap, endStream: boolean): void {
    if (this.#ended) return;
    this.info.responseHeaders = headers;
    this.info.responseCode = Number(headers.get(H.status) ?? 0);
    this.encodeHeadersFrom(this.filters.length - 1, headers, endStream);
  }

  respondData(buffer: Buffer, start: number, end: number, endStream: boolean): void {
    if (!this.#ended) this.encodeDataFrom(this.filters.length - 1, buffer, start, end, endStream);
  }

  respondTrailers(trailers: HeaderMap): void {
    if (this.#ended) return;
    this.info.responseTrailers = trailers;
    this.encodeTrailersFrom(this.filters.length - 1, trailers);
  }

  chooseRouteAgain(): void {
    const headers = this.info.requestHeaders;
    if (this.#ended || headers === null) return;
    this.#chooseRoute(headers);
    this.#applyRouteTimeouts(headers);
  }

  // What leaves the filters.

  protected override sendHeaders(headers: HeaderMap, endStream: boolean): void {
    prepareResponseHeaders(headers, this.info.requestHeaders, this.#config.response, this.#owner.date);
    this.info.responseCode = Number(headers.get(H.status) ?? 0);
    const now = this.#owner.context.clock.monotonic();
    this.info.responseStarted = now;
    this.responseStarted = true;
    this.#timers?.touch(now);
    if (this.#owner.closesAfterResponse || this.#endsConnection()) this.#encoder.closeAfterResponse();
    if (this.info.responseCode === 101) this.#upgrade();
    else if (!this.requestComplete) this.#owner.stats.answeredEarly.add(1);
    this.#encoder.sendHeaders(headers, endStream);
    if (endStream) this.#end();
  }

  #upgrade(): void {
    this.#upgraded = true;
    this.#owner.stats.upgrades.add(1);
    this.#owner.stats.upgradesActive.add(1);
  }

  /**
   * A client that still sends while it is answered, or that sent what cannot be understood, gets no second request
   * on an HTTP/1 connection, as in Envoy.
   */
  #endsConnection(): boolean {
    const { info } = this;
    if (info.protocol === "HTTP/2" || info.responseCode === 101) return false;
    return !this.requestComplete || (info.responseCode === 400 && info.upstreamHost === null);
  }

  protected override sendData(buffer: Buffer, start: number, end: number, endStream: boolean): void {
    this.info.bytesSent += end - start;
    if (!endStream && this.#timers !== null) this.#timers.touch(this.#owner.context.clock.monotonic());
    this.#encoder.sendData(buffer, start, end, endStream);
    if (endStream) this.#end();
  }

  protected override sendTrailers(trailers: HeaderMap): void {
    this.#encoder.sendTrailers(trailers);
    this.#end();
  }

  protected override onRequestHeld(): void {
    this.pauseRequest();
  }

  protected override onRequestReleased(): void {
    this.resumeRequest();
  }

  protected override onResponseHeld(): void {
    this.filters[this.filters.length - 1]?.onResponseHeld();
  }

  protected override onResponseReleased(): void {
    this.filters[this.filters.length - 1]?.onResponseReleased();
  }

  // Limits.

  onIdleTimeout(): void {
    this.#owner.stats.idleTimeout.add(1);
    this.#timeOut("stream timeout", "stream_idle_timeout", ResponseFlag.StreamIdleTimeout);
  }

  onRequestTimeout(): void {
    this.#owner.stats.requestTimeout.add(1);
    this.sendLocalReply({ status: 408, body: "request timeout", details: "request_overall_timeout", flags: 0 });
  }

  onMaxDuration(): void {
    this.#owner.stats.durationReached.add(1);
    this.#timeOut("downstream duration timeout", "max_duration_timeout", 0, 4);
  }

  /** A client that is still sending is told that it was too slow; else it is the upstream that was. */
  #timeOut(body: string, details: string, flags: number, grpcStatus?: number): void {
    const status = this.requestComplete ? 504 : 408;
    this.sendLocalReply({ status, body, details, flags, ...(grpcStatus === undefined ? {} : { grpcStatus }) });
  }

  #startTimers(now: number): void {
    const { idle, request, maxDuration } = this.#config.timeouts;
    if (idle === 0 && request === 0 && maxDuration === 0) return;
    const timers = this.#makeTimers();
    timers.startIdle(idle, now);
    timers.startDuration(maxDuration);
    if (!this.requestComplete) timers.startRequest(request);
  }

  #makeTimers(): StreamTimers {
    this.#timers ??= new StreamTimers(this.#owner.idleWatch, this.#owner.context.wheel, this);
    return this.#timers;
  }

  /** The route may set other limits than the connection manager. */
  #applyRouteTimeouts(headers: HeaderMap): void {
    const action = this.route?.action;
    if (action?.kind !== "forward") return;
    if (action.idleTimeout !== null) this.#makeTimers().startIdle(action.idleTimeout, this.info.started);
    const duration = streamDuration(action, headers);
    if (duration !== null) this.#makeTimers().startDuration(duration);
  }

  // Steps.

  #completeRequest(now: number): void {
    this.requestComplete = true;
    this.info.requestReceived = now;
    this.#timers?.requestComplete();
  }

  /** Without the proxy passing it on, the client is told here to go ahead. */
  #answerExpectation(headers: HeaderMap): void {
    if (this.#config.proxy100Continue || headers.get(H.expect)?.toLowerCase() !== "100-continue") return;
    headers.remove(H.expect);
    const informational = new HeaderMap();
    informational.add(H.status, "100");
    this.#encoder.sendInformational(informational);
  }

  #prepare(headers: HeaderMap): void {
    this.#prepared = true;
    const { routes } = this.#config;
    this.#routes = "inline" in routes ? routes.inline : this.#owner.context.routes.get(routes.rds);
    const { request } = this.#config;
    const internalOnly = this.#routes?.internalOnlyHeaders ?? [];
    const client = prepareRequestHeaders(
      headers,
      this.info.downstream,
      request,
      internalOnly,
      this.#owner.context.uuid,
    );
    this.info.remoteAddress = client.remoteAddress;
    this.#chooseRoute(headers);
    this.filters = createFilters(this.#config.filters, this, this.route);
    this.#applyRouteTimeouts(headers);
  }

  #chooseRoute(headers: HeaderMap): void {
    const { context } = this.#owner;
    this.route = this.#routes?.match(headers, context.random, this.info.dynamicMetadata) ?? null;
    this.info.route = this.route?.facts ?? null;
    this.info.cluster =
      this.route === null || this.route.cluster === "" ? null : context.clusters.get(this.route.cluster);
  }

  #setResetFacts(reason: ResetReason): void {
    const { info } = this;
    switch (reason) {
      case "protocol-error":
        this.#setRefusalFacts();
        break;
      case "remote":
        info.setFlag(ResponseFlag.DownstreamRemoteReset);
        info.responseCodeDetails = "http2.remote_reset";
        break;
      case "local":
        info.setFlag(ResponseFlag.DownstreamConnectionTermination);
        info.responseCodeDetails = "downstream_local_disconnect";
        break;
      default:
        info.setFlag(ResponseFlag.DownstreamConnectionTermination);
        info.responseCodeDetails = "downstream_remote_disconnect";
    }
  }

  /** The codec has answered a request whose body was no body, unless a response had begun. */
  #setRefusalFacts(): void {
    const { info } = this;
    const { refusal } = this.#encoder;
    this.#owner.stats.protocolErrors.add(1);
    info.setFlag(ResponseFlag.DownstreamProtocolError);
    info.responseCodeDetails = refusal?.code ?? "codec_error";
    if (refusal !== null && !this.responseStarted) info.responseCode = refusal.status;
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    if (this.#upgraded) this.#owner.stats.upgradesActive.add(-1);
    this.decodingOver = true;
    this.encodingOver = true;
    this.#timers?.close();
    const { info } = this;
    info.ended = this.#owner.context.clock.monotonic();
    info.wireBytesReceived = this.#encoder.wireBytesReceived;
    info.wireBytesSent = this.#encoder.wireBytesSent;
    for (const filter of this.filters) filter.onEnd();
    for (const filter of this.filters) filter.onLog();
    for (const logger of this.#config.accessLogs) logger.log(info);
    this.#owner.streamEnded(info);
  }
}
