import type { RequestEncoder, ResponseDecoder } from "../../http/codec.ts";
import type { HeaderMap } from "../../http/header-map.ts";
import { H } from "../../http/header-name.ts";
import type { MirrorPolicy } from "../../http/routing/mirror-policy.ts";
import type { Cancellable, HttpPoolCallbacks, LoadBalancerContext } from "../../upstream/cluster.ts";
import type { RouterConfig } from "./config.ts";

/** A copy that waits for its connection keeps no more than this of the body; a longer one is given up. */
const LIMIT = 64 * 1024;

/** The copies of one request. Whatever happens to them, the request itself does not notice. */
export class Mirrors {
  readonly #copies: readonly MirroredRequest[];

  private constructor(copies: readonly MirroredRequest[]) {
    this.#copies = copies;
  }

  /** Null where chance or missing clusters leave nothing to do. */
  static start(
    policies: readonly MirrorPolicy[],
    context: LoadBalancerContext,
    config: RouterConfig,
    endStream: boolean,
  ): Mirrors | null {
    const headers = context.requestHeaders;
    const copies: MirroredRequest[] = [];
    for (const policy of policies) {
      const cluster = config.clusters.get(policy.cluster);
      if (cluster === null || headers === null || config.random() >= policy.fraction) continue;
      const copy = new MirroredRequest(copyOf(headers, policy.markHost), endStream);
      copies.push(copy);
      copy.start((decoder, callbacks) => cluster.newStream(context, decoder, callbacks));
    }
    return copies.length === 0 ? null : new Mirrors(copies);
  }

  sendData(buffer: Buffer, start: number, end: number, endStream: boolean): void {
    for (const copy of this.#copies) copy.sendData(buffer, start, end, endStream);
  }

  sendTrailers(trailers: HeaderMap): void {
    for (const copy of this.#copies) copy.sendTrailers(trailers);
  }

  /** The request is over. Copies that have all of it go on by themselves. */
  end(complete: boolean): void {
    if (!complete) for (const copy of this.#copies) copy.abort();
  }
}

type OpenStream = (decoder: ResponseDecoder, callbacks: HttpPoolCallbacks) => Cancellable | null;

class MirroredRequest implements ResponseDecoder, HttpPoolCallbacks {
  readonly #headers: HeaderMap;
  #ends: boolean;
  #encoder: RequestEncoder | null = null;
  #pending: Cancellable | null = null;
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  #over = false;

  constructor(headers: HeaderMap, ends: boolean) {
    this.#headers = headers;
    this.#ends = ends;
  }

  start(open: OpenStream): void {
    this.#pending = open(this, this);
  }

  sendData(buffer: Buffer, start: number, end: number, endStream: boolean): void {
    if (this.#over) return;
    this.#ends = endStream;
    if (this.#encoder !== null) {
      // A slow mirror must slow nobody down, so it loses the request.
      if (this.#encoder.congested) this.abort();
      else this.#encoder.sendData(buffer, start, end, endStream);
      return;
    }
    this.#waitingBytes += end - start;
    if (this.#waitingBytes > LIMIT) this.abort();
    else this.#waiting.push(Buffer.from(buffer.subarray(start, end)));
  }

  /** Trailers are not worth keeping for a copy that has no connection yet. */
  sendTrailers(trailers: HeaderMap): void {
    if (this.#over) return;
    if (this.#encoder === null) this.abort();
    else this.#encoder.sendTrailers(trailers);
  }

  abort(): void {
    if (this.#over) return;
    this.#over = true;
    this.#pending?.cancel();
    this.#encoder?.reset("local");
    this.#waiting = [];
  }

  onReady(encoder: RequestEncoder): void {
    this.#pending = null;
    this.#encoder = encoder;
    const chunks = this.#waiting;
    this.#waiting = [];
    encoder.sendHeaders(this.#headers, this.#ends && chunks.length === 0);
    for (const [i, chunk] of chunks.entries()) {
      if (!this.#over) encoder.sendData(chunk, 0, chunk.length, this.#ends && i === chunks.length - 1);
    }
  }

  onFailure(): void {
    this.#over = true;
  }

  onReset(): void {
    this.#over = true;
  }

  onHeaders(_headers: HeaderMap, endStream: boolean): void {
    if (endStream) this.#finish();
  }

  onData(_buffer: Buffer, _start: number, _end: number, endStream: boolean): void {
    if (endStream) this.#finish();
  }

  onTrailers(): void {
    this.#finish();
  }

  onInformational(): void {}
  onDrain(): void {}

  #finish(): void {
    if (this.#ends) this.#over = true;
    else this.abort();
  }
}

function copyOf(headers: HeaderMap, markHost: boolean): HeaderMap {
  const copy = headers.clone();
  const host = headers.get(H.authority);
  if (markHost && host !== null) copy.set(H.authority, shadowHost(host));
  return copy;
}

/** `host:port` becomes `host-shadow:port`. */
function shadowHost(host: string): string {
  const port = /:\d+$/.exec(host)?.[0] ?? "";
  return `${host.slice(0, host.length - port.length)}-shadow${port}`;
}
