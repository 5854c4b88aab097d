import type { Clock, Timer } from "@mixerless/clock";
import type { RequestEncoder, ResetReason, ResponseDecoder } from "../http/codec.ts";
import { HeaderMap } from "../http/header-map.ts";
import { H } from "../http/header-name.ts";
import type { Cancellable, Cluster, HttpPoolCallbacks, PoolFailure } from "./cluster.ts";
import type { Host } from "./host.ts";

/** What the proxy itself asks of a cluster. */
export interface FetchRequest {
  readonly scheme: string;
  readonly authority: string;
  readonly path: string;
  /** Milliseconds until all of the answer is there. */
  readonly timeout: number;
  /** Of the body. */
  readonly maxBytes: number;
}

export type FetchResult =
  | { readonly ok: true; readonly status: number; readonly body: Buffer }
  | { readonly ok: false; readonly reason: string };

/** Sends a GET through the pools of a cluster. `done` is called once, unless the fetch is cancelled. */
export function fetchFromCluster(
  cluster: Cluster,
  request: FetchRequest,
  clock: Clock,
  done: (result: FetchResult) => void,
): Cancellable {
  const fetch = new ClusterFetch(request, cluster, done);
  fetch.start(clock);
  return fetch;
}

class ClusterFetch implements ResponseDecoder, HttpPoolCallbacks, Cancellable {
  readonly #request: FetchRequest;
  readonly #cluster: Cluster;
  readonly #done: (result: FetchResult) => void;
  #timer: Timer | null = null;
  #pending: Cancellable | null = null;
  #encoder: RequestEncoder | null = null;
  #host: Host | null = null;
  #status = 0;
  #chunks: Buffer[] = [];
  #bytes = 0;
  #over = false;

  constructor(request: FetchRequest, cluster: Cluster, done: (result: FetchResult) => void) {
    this.#request = request;
    this.#cluster = cluster;
    this.#done = done;
  }

  start(clock: Clock): void {
    this.#timer = clock.after(this.#request.timeout, () => this.#fail(`no answer within ${this.#request.timeout} ms`));
    const context = {
      ...{ hash: null, downstream: null, requestHeaders: null, highPriority: false, triedHosts: [], hostAttempts: 1 },
      triedPriorities: new Set<number>(),
    };
    const pending = this.#cluster.newStream(context, this, this);
    if (!this.#over && this.#encoder === null) this.#pending = pending;
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
    const { scheme, authority, path } = this.#request;
    const headers = new HeaderMap();
    headers.add(H.method, "GET");
    headers.add(H.path, path);
    headers.add(H.authority, authority);
    headers.add(H.scheme, scheme);
    encoder.sendHeaders(headers, true);
  }

  onFailure(reason: PoolFailure, _host: Host | null, details: string): void {
    if (!this.#over) this.#fail(details === "" ? reason : `${reason}: ${details}`);
  }

  onHeaders(headers: HeaderMap, endStream: boolean): void {
    this.#status = headers.getInteger(H.status);
    if (endStream) this.#succeed();
  }

  onData(buffer: Buffer, start: number, end: number, endStream: boolean): void {
    this.#bytes += end - start;
    if (this.#bytes > this.#request.maxBytes) {
      this.#fail(`the answer is larger than ${this.#request.maxBytes} bytes`);
      return;
    }
    this.#chunks.push(Buffer.from(buffer.subarray(start, end)));
    if (endStream) this.#succeed();
  }

  onTrailers(): void {
    this.#succeed();
  }

  onReset(reason: ResetReason): void {
    this.#encoder = null;
    this.#fail(reason);
  }

  onInformational(): void {}
  onDrain(): void {}

  #succeed(): void {
    if (this.#over) return;
    this.#close();
    if (this.#host !== null) this.#cluster.reportOutcome(this.#host, this.#status, false);
    this.#done({ ok: true, status: this.#status, body: Buffer.concat(this.#chunks) });
  }

  #fail(reason: string): void {
    if (this.#over) return;
    this.#close();
    this.#pending?.cancel();
    this.#encoder?.reset("local");
    if (this.#host !== null) this.#cluster.reportOutcome(this.#host, 0, true);
    this.#done({ ok: false, reason });
  }

  #close(): void {
    this.#over = true;
    this.#timer?.cancel();
  }
}
