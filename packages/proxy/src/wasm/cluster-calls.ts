import type { Clock, Timer } from "@mixerless/clock";
import type { Cancellable, Headers, HttpCallClient, HttpCallRequest, HttpCallResponse } from "@mixerless/wasm";
import type { RequestEncoder, ResponseDecoder } from "../http/codec.ts";
import { HeaderMap } from "../http/header-map.ts";
import { H, HeaderName } from "../http/header-name.ts";
import type {
  Cluster,
  ClusterManager,
  HttpPoolCallbacks,
  Cancellable as Pending,
  PoolFailure,
} from "../upstream/cluster.ts";
import type { Host } from "../upstream/host.ts";

/** Most bytes of an answer; plugins have a lower limit of their own. */
const MOST_BYTES = 16 * 1024 * 1024;

/** Calls of plugins through the pools of clusters. */
export function createClusterCalls(clusters: ClusterManager, clock: Clock): HttpCallClient {
  return {
    hasCluster: (name) => clusters.get(name) !== null,
    call(request, done): Cancellable | null {
      const cluster = clusters.get(request.cluster);
      if (cluster === null) return null;
      const call = new ClusterCall(request, cluster, done);
      return call.start(clock) ? call : null;
    },
  };
}

/** One call. A time-out is a response of status 504, a connection that fails one of 503 [proxy-wasm §8.6]. */
class ClusterCall implements ResponseDecoder, HttpPoolCallbacks, Cancellable {
  readonly #request: HttpCallRequest;
  readonly #cluster: Cluster;
  readonly #done: (response: HttpCallResponse | null) => void;
  #timer: Timer | null = null;
  #pending: Pending | null = null;
  #encoder: RequestEncoder | null = null;
  #host: Host | null = null;
  #headers: HeaderMap | null = null;
  #trailers: HeaderMap | null = null;
  #chunks: Buffer[] = [];
  #bytes = 0;
  #over = false;
  #starting = true;

  constructor(request: HttpCallRequest, cluster: Cluster, done: (response: HttpCallResponse | null) => void) {
    this.#request = request;
    this.#cluster = cluster;
    this.#done = done;
  }

  /** False: it can't begin, and `done` won't be called. */
  start(clock: Clock): boolean {
    const { timeout } = this.#request;
    if (timeout > 0) this.#timer = clock.after(timeout, () => this.#answer("504", "upstream request timeout"));
    const context = {
      ...{ hash: null, downstream: null, requestHeaders: null, highPriority: false, triedHosts: [], hostAttempts: 1 },
      triedPriorities: new Set<number>(),
    };
    const pending = this.#cluster.newStream(context, this, this);
    if (!this.#over && this.#encoder === null) this.#pending = pending;
    this.#starting = false;
    return !this.#over || this.#headers !== null;
  }

  cancel(): void {
    if (this.#over) return;
    this.#close();
    this.#pending?.cancel();
    this.#encoder?.reset("local");
  }

  onReady(encoder: RequestEncoder, host: Host): void {
    this.#pending = null;
    this.#encoder = encoder;
    this.#host = host;
    const { headers, body, trailers } = this.#request;
    const hasBody = body.length > 0;
    const fields = fieldsOf(headers);
    if (!fields.has(H.scheme)) fields.add(H.scheme, "http");
    encoder.sendHeaders(fields, !hasBody && trailers.length === 0);
    if (hasBody) encoder.sendData(body, 0, body.length, trailers.length === 0);
    if (trailers.length > 0) encoder.sendTrailers(fieldsOf(trailers));
  }

  onFailure(reason: PoolFailure): void {
    if (this.#over) return;
    if (!this.#starting) this.#answer("503", `upstream connect error: ${reason}`);
    else this.#close();
  }

  onHeaders(headers: HeaderMap, endStream: boolean): void {
    this.#headers = headers.clone();
    if (endStream) this.#succeed();
  }

  onData(buffer: Buffer, start: number, end: number, endStream: boolean): void {
    this.#bytes += end - start;
    if (this.#bytes > MOST_BYTES) {
      this.#encoder?.reset("local");
      this.#fail();
      return;
    }
    this.#chunks.push(Buffer.from(buffer.subarray(start, end)));
    if (endStream) this.#succeed();
  }

  onTrailers(trailers: HeaderMap): void {
    this.#trailers = trailers.clone();
    this.#succeed();
  }

  onReset(): void {
    this.#encoder = null;
    if (this.#headers === null) this.#answer("503", "upstream connect error or disconnect/reset before headers");
    else this.#fail();
  }

  onInformational(): void {}
  onDrain(): void {}

  #succeed(): void {
    if (this.#over) return;
    this.#close();
    const headers = this.#headers ?? new HeaderMap();
    if (this.#host !== null) this.#cluster.reportOutcome(this.#host, headers.getInteger(H.status), false);
    this.#done({ headers: listOf(headers), body: Buffer.concat(this.#chunks), trailers: listOf(this.#trailers) });
  }

  /** An answer that the proxy makes itself. */
  #answer(status: string, text: string): void {
    if (this.#over) return;
    this.#giveUp();
    const body = Buffer.from(text, "latin1");
    this.#done({
      headers: [
        [":status", status],
        ["content-length", String(body.length)],
      ],
      body,
      trailers: [],
    });
  }

  #fail(): void {
    if (this.#over) return;
    this.#giveUp();
    this.#done(null);
  }

  #giveUp(): void {
    this.#close();
    this.#pending?.cancel();
    this.#encoder?.reset("local");
    this.#encoder = null;
    if (this.#host !== null) this.#cluster.reportOutcome(this.#host, 0, true);
  }

  #close(): void {
    this.#over = true;
    this.#timer?.cancel();
  }
}

function fieldsOf(pairs: Headers): HeaderMap {
  const headers = new HeaderMap();
  for (const [name, value] of pairs) headers.add(HeaderName.transient(name), value);
  return headers;
}

function listOf(headers: HeaderMap | null): Headers {
  const pairs: [string, string][] = [];
  headers?.forEach((name, value) => {
    pairs.push([name, value]);
  });
  return pairs;
}
