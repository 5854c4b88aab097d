import type { RequestEncoder, ResetReason } from "../../http/codec.ts";
import { EnvoyHeader } from "../../http/envoy-header-name.ts";
import type { HeaderMap } from "../../http/header-map.ts";
import { H } from "../../http/header-name.ts";
import { FilterStatus, type FilterStream, HttpFilter, type LocalReply } from "../../http/http-filter.ts";
import { cookieText } from "../../http/routing/hash-policy.ts";
import type { ForwardAction } from "../../http/routing/route-action.ts";
import type { RouteEntry } from "../../http/routing/route-entry.ts";
import type { Cluster, PoolFailure } from "../../upstream/cluster.ts";
import { Balancing } from "./balancing.ts";
import type { RouterConfig } from "./config.ts";
import { answerWithoutUpstream } from "./direct-answer.ts";
import {
  failureDetails,
  failureOfPool,
  failureOfReset,
  failureReply,
  noHealthyUpstreamReply,
  streamDurationReply,
  timeoutReply,
  type UpstreamFailure,
} from "./failure.ts";
import { Mirrors } from "./mirrors.ts";
import { RequestBody } from "./request-body.ts";
import { ResponseTimers, type ResponseTimerTarget } from "./response-timers.ts";
import { Retries } from "./retries.ts";
import { effectiveRetryPolicy } from "./retry-conditions.ts";
import { requestTimeouts } from "./timeouts.ts";
import { UpstreamRequest, type UpstreamRequestOwner } from "./upstream-request.ts";

/** The last filter of a chain: takes the request to a host of the route's cluster and brings the response back. */
export class RouterFilter extends HttpFilter implements UpstreamRequestOwner, ResponseTimerTarget {
  readonly #config: RouterConfig;
  #headers: HeaderMap | null = null;
  #trailers: HeaderMap | null = null;
  #entry: RouteEntry | null = null;
  #action: ForwardAction | null = null;
  #cluster: Cluster | null = null;
  #attempt: UpstreamRequest | null = null;
  #mirrors: Mirrors | null = null;
  /** Kept while an attempt is not there yet or another may follow; null: nothing has to be kept. */
  #body: RequestBody | null = null;
  #bodyPaused = false;
  #upstreamPaused = false;
  #responsePaused = false;
  /** Null: this attempt has to do. */
  #retries: Retries | null = null;
  #timers: ResponseTimers | null = null;
  /** The request has reached this filter wholly. */
  #requestEnded = false;
  #balancing: Balancing | null = null;
  #ended = false;

  constructor(stream: FilterStream, config: RouterConfig) {
    super(stream);
    this.#config = config;
  }

  // The request.

  override decodeHeaders(headers: HeaderMap, endStream: boolean): number {
    const { route, info } = this.stream;
    if (route === null || route.action.kind !== "forward" || info.cluster === null) {
      answerWithoutUpstream(this.stream, headers, this.#config.stats);
      return FilterStatus.Stop;
    }
    this.#headers = headers;
    this.#entry = route;
    this.#action = route.action;
    this.#cluster = info.cluster;
    this.#requestEnded = endStream;
    this.#planRetries(route.action, headers, info.cluster);
    this.#balancing = new Balancing(route.action, headers, info, this.#retries);
    route.finalizeRequestHeaders(headers, info, !this.#config.suppressEnvoyHeaders);
    if (route.action.mirrors.length > 0)
      this.#mirrors = Mirrors.start(route.action.mirrors, this.#balancing, this.#config, endStream);
    this.#startAttempt();
    if (endStream) this.#onRequestComplete();
    return FilterStatus.Continue;
  }

  override decodeData(buffer: Buffer, start: number, end: number, endStream: boolean): number {
    const encoder = this.#attempt?.encoder ?? null;
    this.#requestEnded = endStream;
    this.#mirrors?.sendData(buffer, start, end, endStream);
    if (encoder === null || this.#retries !== null) this.#keep(buffer, start, end);
    if (encoder !== null) {
      encoder.sendData(buffer, start, end, endStream);
      this.#slowDown(encoder);
    }
    if (endStream) this.#onRequestComplete();
    return FilterStatus.Continue;
  }

  override decodeTrailers(trailers: HeaderMap): number {
    this.#trailers = trailers;
    this.#requestEnded = true;
    this.#mirrors?.sendTrailers(trailers);
    this.#attempt?.encoder?.sendTrailers(trailers);
    this.#onRequestComplete();
    return FilterStatus.Continue;
  }

  #slowDown(encoder: RequestEncoder): void {
    if (this.#ended || this.#upstreamPaused || this.#attempt?.encoder !== encoder || !encoder.congested) return;
    this.#upstreamPaused = true;
    this.stream.pauseRequest();
  }

  #keep(buffer: Buffer, start: number, end: number): void {
    this.#body ??= new RequestBody();
    const fits = this.#body.size + end - start <= this.stream.bufferLimit;
    if (!fits && this.#attempt !== null && this.#attempt.encoder !== null) {
      // Too long to be kept for another attempt: this one has to do.
      this.#dropRetries();
      this.#body = null;
      return;
    }
    this.#body.add(buffer, start, end);
    if (fits || this.#bodyPaused) return;
    this.#bodyPaused = true;
    this.stream.pauseRequest();
  }

  #onRequestComplete(): void {
    if (this.#ended) return;
    if (this.#attempt !== null && this.#attempt.encoder !== null) this.#markSent(this.#attempt);
    this.#timers?.startTotal();
  }

  #markSent(attempt: UpstreamRequest): void {
    attempt.requestComplete = true;
    this.stream.info.upstreamLastByteSent = this.#config.clock.monotonic();
    this.#timers?.startTry();
  }

  // Attempts.

  #planRetries(action: ForwardAction, headers: HeaderMap, cluster: Cluster): void {
    const policy = effectiveRetryPolicy(action.retry, headers);
    if (policy !== null) this.#retries = new Retries(policy, this.#config, cluster, action.highPriority);
    const timeouts = requestTimeouts(action, headers, cluster.maxStreamDuration);
    if (timeouts !== null) this.#timers = new ResponseTimers(this.#config.wheel, timeouts, this);
  }

  #startAttempt(): void {
    const { info } = this.stream;
    const headers = this.#headers;
    const cluster = this.#cluster;
    const balancing = this.#balancing;
    if (headers === null || cluster === null || balancing === null) return;
    info.attemptCount++;
    if (this.#action?.includeAttemptCount) headers.set(EnvoyHeader.attemptCount, String(info.attemptCount));
    const attempt = new UpstreamRequest(this);
    this.#attempt = attempt;
    attempt.start(cluster, balancing);
  }

  onAttemptReady(attempt: UpstreamRequest): void {
    const { encoder, host } = attempt;
    const headers = this.#headers;
    if (this.#ended || attempt !== this.#attempt || encoder === null || headers === null) {
      attempt.abort();
      return;
    }
    const { info } = this.stream;
    const now = this.#config.clock.monotonic();
    info.upstreamHost = host;
    info.upstreamConnection = encoder.connection;
    info.upstreamProtocol = encoder.protocol;
    info.upstreamConnected ??= now;
    info.upstreamFirstByteSent ??= now;
    this.#timers?.startStream();
    if (this.#action?.autoHostRewrite && host !== null && host.hostname !== "") {
      this.#entry?.rewriteAuthority(headers, host.hostname, !this.#config.suppressEnvoyHeaders);
    }
    this.#sendKept(attempt, headers);
  }

  /** Sends what of the request is there already. */
  #sendKept(attempt: UpstreamRequest, headers: HeaderMap): void {
    const encoder = attempt.encoder;
    if (encoder === null) return;
    const chunks = this.#body?.chunks ?? [];
    const endsWithData = this.#requestEnded && this.#trailers === null;
    attempt.requestSent = true;
    encoder.sendHeaders(headers, endsWithData && chunks.length === 0);
    for (let i = 0; i < chunks.length && attempt === this.#attempt; i++) {
      const chunk = chunks[i] as Buffer;
      encoder.sendData(chunk, 0, chunk.length, endsWithData && i === chunks.length - 1);
    }
    if (attempt !== this.#attempt) return;
    if (this.#trailers !== null) encoder.sendTrailers(this.#trailers);
    if (this.#retries === null) this.#body = null;
    if (this.#bodyPaused) {
      this.#bodyPaused = false;
      this.stream.resumeRequest();
    }
    if (this.#requestEnded) this.#markSent(attempt);
    else this.#slowDown(encoder);
  }

  onAttemptFailed(attempt: UpstreamRequest, reason: PoolFailure, details: string): void {
    if (this.#ended || attempt !== this.#attempt) return;
    const { info } = this.stream;
    info.upstreamHost = attempt.host;
    if (details !== "") info.upstreamTransportFailure = details;
    if (reason === "no-healthy-upstream") {
      this.#attempt = null;
      this.#answer(noHealthyUpstreamReply());
      return;
    }
    if (attempt.host !== null && reason !== "overflow") this.#cluster?.reportOutcome(attempt.host, 0, true);
    this.#fail(attempt, failureOfPool(reason), details);
  }

  onUpstreamReset(attempt: UpstreamRequest, reason: ResetReason): void {
    if (this.#ended || attempt !== this.#attempt) return;
    attempt.recordBytes(this.stream.info);
    if (attempt.host !== null) this.#cluster?.reportOutcome(attempt.host, 0, true);
    const late = this.stream.info.responseHeaders !== null && attempt.encoder?.protocol !== "HTTP/2";
    this.#fail(attempt, failureOfReset(reason, late), "");
  }

  #fail(attempt: UpstreamRequest, failure: UpstreamFailure, transport: string): void {
    const { info } = this.stream;
    this.#timers?.stopTry();
    if (info.responseHeaders !== null) {
      info.setFlag(failure.flag);
      this.#attempt = null;
      this.stream.resetStream(failureDetails(failure, transport, true));
      return;
    }
    if (this.#retries?.wantsFailure(failure, attempt.requestSent) && this.#tryAgain(attempt)) return;
    this.#attempt = null;
    this.#answer(failureReply(failure, transport, info.attemptCount));
  }

  /** Leaves an attempt for another one; false where the limits say no. */
  #tryAgain(attempt: UpstreamRequest, response: HeaderMap | null = null): boolean {
    const again = this.#retries?.plan(this.stream.info, attempt.host, response, () => this.#startAttempt());
    if (again !== true) return false;
    attempt.abort();
    this.#attempt = null;
    this.#timers?.stopTry();
    this.onUpstreamDrain();
    return true;
  }

  // The response.

  onUpstreamInformational(headers: HeaderMap): void {
    this.stream.respondInformational(headers);
  }

  onUpstreamHeaders(attempt: UpstreamRequest, headers: HeaderMap, endStream: boolean): void {
    if (this.#ended || attempt !== this.#attempt) return;
    const { info } = this.stream;
    const now = this.#config.clock.monotonic();
    const status = headers.getInteger(H.status);
    if (attempt.host !== null) this.#cluster?.reportOutcome(attempt.host, status, false);
    const again = this.#headers !== null && this.#retries?.wantsResponse(headers, this.#headers);
    if (again && this.#tryAgain(attempt, headers)) return;
    this.#timers?.responseStarted();
    this.#body = null;
    this.#dropRetries();
    info.upstreamResponseStarted = now;
    info.responseCodeDetails = "via_upstream";
    if (!this.#config.suppressEnvoyHeaders && info.requestReceived !== null) {
      headers.set(H.xEnvoyUpstreamServiceTime, String(Math.floor(now - info.requestReceived)));
    }
    this.#finalize(headers);
    if (endStream) this.#complete(attempt);
    this.stream.respondHeaders(headers, endStream);
  }

  onUpstreamData(buffer: Buffer, start: number, end: number, endStream: boolean): void {
    const attempt = this.#attempt;
    if (this.#ended || attempt === null) return;
    if (endStream) this.#complete(attempt);
    else this.#timers?.touch();
    this.stream.respondData(buffer, start, end, endStream);
    if (this.#ended || endStream || this.#responsePaused || !this.stream.downstreamCongested) return;
    this.#responsePaused = true;
    attempt.encoder?.pauseReading();
  }

  onUpstreamTrailers(trailers: HeaderMap): void {
    if (this.#ended || this.#attempt === null) return;
    this.#complete(this.#attempt);
    this.stream.respondTrailers(trailers);
  }

  #complete(attempt: UpstreamRequest): void {
    this.#timers?.stopTry();
    this.stream.info.upstreamResponseEnded = this.#config.clock.monotonic();
    attempt.recordBytes(this.stream.info);
  }

  /** What the route and this filter add to every response, local ones included. */
  #finalize(headers: HeaderMap): void {
    if (this.#action?.includeAttemptCountInResponse) {
      headers.set(EnvoyHeader.attemptCount, String(this.stream.info.attemptCount));
    }
    const cookie = this.#balancing?.cookie ?? null;
    if (cookie !== null) headers.add(EnvoyHeader.setCookie, cookieText(cookie));
    this.#entry?.finalizeResponseHeaders(headers, this.stream.info);
  }

  // Flow.

  /** The upstream takes bytes of the request again. */
  onUpstreamDrain(): void {
    if (!this.#upstreamPaused) return;
    this.#upstreamPaused = false;
    this.stream.resumeRequest();
  }

  override onDownstreamDrain(): void {
    if (!this.#responsePaused) return;
    this.#responsePaused = false;
    this.#attempt?.encoder?.resumeReading();
  }

  override onResponseHeld(): void {
    const attempt = this.#attempt;
    if (attempt !== null && !attempt.responseComplete) attempt.encoder?.pauseReading();
  }

  override onResponseReleased(): void {
    const attempt = this.#attempt;
    if (attempt !== null && !attempt.responseComplete) attempt.encoder?.resumeReading();
  }

  // Limits and the end.

  onPerTryTimeout(details: string): void {
    const attempt = this.#attempt;
    if (this.#ended || attempt === null) return;
    this.#config.stats.timeouts.add(1);
    if (attempt.host !== null) this.#cluster?.reportOutcome(attempt.host, 0, true);
    if (this.#retries?.wantsFailure(failureOfReset("timeout"), attempt.requestSent) && this.#tryAgain(attempt)) return;
    this.#answer(timeoutReply(details));
  }

  onTotalTimeout(): void {
    if (this.#ended) return;
    this.#config.stats.timeouts.add(1);
    const host = this.#attempt?.host ?? null;
    if (host !== null && this.stream.info.responseHeaders === null) this.#cluster?.reportOutcome(host, 0, true);
    this.#answer(timeoutReply("response_timeout"));
  }

  onStreamDurationReached(): void {
    const attempt = this.#attempt;
    if (this.#ended || attempt === null) return;
    if (this.#retries?.wantsFailure(failureOfReset("local"), attempt.requestSent) && this.#tryAgain(attempt)) return;
    this.#answer(streamDurationReply(this.#requestEnded));
  }

  /** Nothing of the upstream counts any more. */
  #answer(reply: LocalReply): void {
    this.#timers?.close();
    this.#timers = null;
    const edit = (headers: HeaderMap) => {
      reply.edit?.(headers);
      this.#finalize(headers);
    };
    this.stream.sendLocalReply({ ...reply, edit });
  }

  #dropRetries(): void {
    this.#retries?.close();
    this.#retries = null;
  }

  override onEnd(): void {
    this.#ended = true;
    const attempt = this.#attempt;
    if (attempt !== null) {
      if (!attempt.responseComplete) attempt.recordBytes(this.stream.info);
      attempt.abort();
    }
    this.#attempt = null;
    this.#mirrors?.end(this.stream.requestComplete);
    this.#timers?.close();
    this.#dropRetries();
    this.#body = null;
  }
}
