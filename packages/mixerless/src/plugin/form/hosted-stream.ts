import type { FakeHeaders, FakeStream } from "@mixerless/sdk/testing";
import {
  describeFailure,
  type HeaderFields,
  type HttpContext,
  type HttpStreamHost,
  type Plugin,
  type TcpContext,
  type TcpStreamHost,
} from "@mixerless/wasm";
import type { FakeCalls } from "./fake-calls.ts";

const REQUEST_HEADERS = 0;
const RESPONSE_HEADERS = 2;
/** The Wasm host keeps filter state of plugins under this prefix. */
const STATE_PREFIX = "wasm.";

/** A stream context that runs in a Wasm VM: an HTTP stream or a TCP connection, which shows at its first event. */
export class HostedStream {
  readonly #plugin: Plugin;
  readonly #stream: FakeStream;
  readonly #calls: FakeCalls;
  #http: HttpContext | null = null;
  #tcp: TcpContext | null = null;

  constructor(plugin: Plugin, stream: FakeStream, calls: FakeCalls) {
    this.#plugin = plugin;
    this.#stream = stream;
    this.#calls = calls;
  }

  onRequestHeaders(_count: number, end: boolean): number {
    return this.#run((http) => http.onRequestHeaders(end));
  }

  onRequestBody(_size: number, end: boolean): number {
    const { request } = this.#stream;
    return this.#run((http) => {
      const result = http.onRequestBody(Buffer.from(request.piece, "latin1"), end);
      if (result === 0) request.body = http.takeRequestBody().toString("latin1");
      return result;
    });
  }

  onResponseHeaders(_count: number, end: boolean): number {
    return this.#run((http) => http.onResponseHeaders(end));
  }

  onResponseBody(_size: number, end: boolean): number {
    const { response } = this.#stream;
    return this.#run((http) => {
      const result = http.onResponseBody(Buffer.from(response.piece, "latin1"), end);
      if (result === 0) response.body = http.takeResponseBody().toString("latin1");
      return result;
    });
  }

  onNewConnection(): number {
    this.#tcp = this.#opened(this.#plugin.openTcp(this.#tcpHost()));
    const result = this.#tcp.onNewConnection();
    this.#throwFailure();
    return result;
  }

  onLog(): void {
    if (this.#tcp === null) this.#run((http) => http.onLog());
  }

  /** For a connection the Wasm host calls done, log and delete itself, in the order of the ABI. */
  onDone(): void {
    if (this.#tcp === null) this.#run((http) => http.onDestroy());
    else this.#tcp.onDownstreamClose(true);
    this.#throwFailure();
  }

  onDelete(): void {}

  #run<T>(step: (http: HttpContext) => T): T {
    this.#http ??= this.#opened(this.#plugin.openHttp(this.#httpHost()));
    const http = this.#http;
    const result = this.#calls.during(this.#stream, () => step(http));
    this.#throwFailure();
    return result;
  }

  #opened<T>(context: T | string): T {
    if (typeof context === "string") this.#throwFailure();
    return context as T;
  }

  /** In process a test sees what the plugin throws, so it sees traps here. */
  #throwFailure(): void {
    const { state, lastFailure } = this.#plugin.status();
    if (state === "failed" && lastFailure !== null) throw new Error(describeFailure(lastFailure));
  }

  #facts() {
    const stream = this.#stream;
    return {
      attributes: stream,
      getState: (name: string) => stream.state(withoutPrefix(name)),
      setState: (name: string, value: string) => stream.overwriteState(withoutPrefix(name), value),
    };
  }

  #httpHost(): HttpStreamHost {
    const stream = this.#stream;
    return {
      ...this.#facts(),
      headers: (map) => {
        if (map === REQUEST_HEADERS) return new Fields(stream.requestHeaders);
        return map === RESPONSE_HEADERS ? new Fields(stream.responseHeaders) : null;
      },
      addTrailers: () => null,
      continueRequest: () => {
        stream.request.body = this.#http?.takeRequestBody().toString("latin1") ?? "";
        stream.resume(false);
      },
      continueResponse: () => {
        stream.response.body = this.#http?.takeResponseBody().toString("latin1") ?? "";
        stream.resume(true);
      },
      sendLocalReply: ({ status, body, headers }) => stream.sendLocalReply(status, body, headers.flat()),
      resetStream() {},
      clearRouteCache() {},
    };
  }

  #tcpHost(): TcpStreamHost {
    return { ...this.#facts(), continueDownstream() {}, continueUpstream() {}, close() {} };
  }
}

function withoutPrefix(name: string): string {
  return name.startsWith(STATE_PREFIX) ? name.slice(STATE_PREFIX.length) : name;
}

/** The headers of a fake stream as the Wasm host asks for them. */
class Fields implements HeaderFields {
  readonly #list: FakeHeaders;

  constructor(list: FakeHeaders) {
    this.#list = list;
  }

  get size(): number {
    return this.#list.length;
  }

  get byteSize(): number {
    return this.#list.reduce((sum, [name, value]) => sum + name.length + value.length, 0);
  }

  getFirst({ text }: { readonly text: string }): string | null {
    return this.#list.find(([name]) => name === text)?.[1] ?? null;
  }

  add({ text }: { readonly text: string }, value: string): void {
    this.#list.push([text, value]);
  }

  set(name: { readonly text: string }, value: string): void {
    this.remove(name);
    this.add(name, value);
  }

  remove({ text }: { readonly text: string }): void {
    for (let i = this.#list.length - 1; i >= 0; i--) if (this.#list[i]?.[0] === text) this.#list.splice(i, 1);
  }

  forEach(visit: (name: string, value: string) => void): void {
    for (const [name, value] of this.#list) visit(name, value);
  }
}
