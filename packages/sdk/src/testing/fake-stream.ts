import { REQUEST_HEADERS, RESPONSE_HEADERS } from "../native/constants.ts";
import type { StreamContext } from "../native/context.ts";
import { StreamHandle } from "../native/handles.ts";
import type { HeaderName, HeaderValue, Property, StateName } from "../native/names.ts";
import { type Attribute, attributeAt, attributeNumber, attributeText } from "./attributes.ts";
import { FakeCall, type FakeCallRequest } from "./fake-call.ts";
import { FakeFlow } from "./fake-flow.ts";
import { type FakeHeaders, firstOf, pairsOf, removeFrom } from "./fake-headers.ts";

/** What a fake stream knows. */
export interface FakeStreamOptions {
  /** Attributes by path, e.g. `{ response: { code: 200 } }`. May be changed while the stream lives. */
  readonly attributes?: Attribute;
  /** In lower case, pseudo-headers first. */
  readonly requestHeaders?: FakeHeaders;
}

/** An answer that a plugin gave in place of the upstream. */
export interface FakeReply {
  /** The status code. */
  readonly status: number;
  /** A byte string. */
  readonly body: string;
  /** What is added to the headers of the answer. */
  readonly headers: FakeHeaders;
}

/** A host of stream contexts. It keeps the ABI's rules on which headers can be seen and changed when. */
export class FakeStream extends StreamHandle {
  /** Its facts, beside those of all streams. */
  attributes: Attribute;
  /** As the plugins have left them. */
  requestHeaders: FakeHeaders;
  /** As the plugins have left them. */
  responseHeaders: FakeHeaders = [];
  /** On the way to the application. */
  readonly request = new FakeFlow();
  /** On the way back. */
  readonly response = new FakeFlow();
  /** What a plugin has answered in place of the upstream; null: nothing. */
  reply: FakeReply | null = null;
  /** Requests that plugins have sent to clusters, in order. */
  readonly calls: FakeCall[] = [];
  readonly #root: Attribute;
  readonly #states = new Map<string, string>();
  readonly #attached = new Set<number>();
  #readOnly = false;
  #context: StreamContext | null = null;
  #answer: FakeCall | null = null;

  /** `root`: attributes that all streams of the host have. */
  constructor(root: Attribute, options: FakeStreamOptions = {}) {
    super();
    this.#root = root;
    this.attributes = options.attributes ?? {};
    this.requestHeaders = options.requestHeaders ?? [];
  }

  /** Runs a callback of `context` with these header maps attached. */
  during<T>(context: StreamContext, maps: readonly number[], readOnly: boolean, callback: () => T): T {
    for (const map of maps) this.#attached.add(map);
    this.#readOnly = readOnly;
    this.#context = context;
    try {
      return callback();
    } finally {
      this.#attached.clear();
      this.#readOnly = false;
      this.#context = null;
    }
  }

  /** An attribute of the stream or of its root; undefined if there is none. */
  attribute(path: readonly string[]): Attribute | undefined {
    const own = attributeAt(this.attributes, path) ?? attributeAt(this.#root, path);
    if (own !== undefined) return own;
    if (path[0] === "filter_state" && path.length === 2) return this.#states.get(path[1] ?? "");
    if (path[0] === "request" && path[1] === "host") return firstOf(this.requestHeaders, ":authority") ?? undefined;
    return undefined;
  }

  getString(property: Property): string | null {
    return attributeText(this.attribute(property.path));
  }

  getNumber(property: Property, missing: number): number {
    return attributeNumber(this.attribute(property.path), missing);
  }

  getHeader(map: number, name: HeaderName): string | null {
    const headers = this.#attachedHeaders(map);
    return headers === null ? null : firstOf(headers, name.name);
  }

  headerSize(map: number, name: HeaderName): number {
    return this.getHeader(map, name)?.length ?? -1;
  }

  replaceHeader(map: number, name: HeaderName, value: HeaderValue): void {
    const headers = this.#changeable(map);
    if (headers === null) return;
    removeFrom(headers, name.name);
    headers.push([name.name, value.text]);
  }

  addHeader(map: number, name: HeaderName, value: HeaderValue): void {
    this.#changeable(map)?.push([name.name, value.text]);
  }

  removeHeader(map: number, name: HeaderName): void {
    const headers = this.#changeable(map);
    if (headers !== null) removeFrom(headers, name.name);
  }

  sendLocalReply(status: number, body: string, headers: string[]): void {
    this.reply ??= { status, body, headers: pairsOf(headers) };
  }

  getBody(response: boolean): string {
    return (response ? this.response : this.request).body;
  }

  setBody(response: boolean, body: string): void {
    (response ? this.response : this.request).body = body;
  }

  resume(response: boolean): void {
    (response ? this.response : this.request).resume();
  }

  httpCall(cluster: string, headers: string[], body: string, milliseconds: number): number {
    const context = this.#context;
    if (context === null || cluster === "") return 0;
    const token = this.calls.length + 1;
    const length = body.length > 0 ? ["content-length", String(body.length)] : [];
    const request = { cluster, headers: pairsOf([...headers, ...length]), body, milliseconds };
    this.call(request, (call) => {
      this.#answer = call;
      const answer = call.answered;
      this.during(context, [], false, () =>
        context.onHttpCallResponse(token, answer?.headers.length ?? 0, answer?.body.length ?? 0),
      );
      this.#answer = null;
    });
    return token;
  }

  /** Notes a request to a cluster; `done` runs when a test answers it. */
  call(request: FakeCallRequest, done: (call: FakeCall) => void): FakeCall {
    const call = new FakeCall(request, done);
    this.calls.push(call);
    return call;
  }

  getCallHeader(name: HeaderName): string | null {
    return firstOf(this.#answer?.answered?.headers ?? [], name.name);
  }

  getCallBody(): string {
    return this.#answer?.answered?.body ?? "";
  }

  getState(name: StateName): string | null {
    return this.state(name.name);
  }

  setState(name: StateName, value: string): void {
    if (!this.#states.has(name.name)) this.#states.set(name.name, value);
  }

  /** Filter state by plain name. */
  state(name: string): string | null {
    return this.#states.get(name) ?? null;
  }

  /** Sets filter state as the ABI's `set_property` does, where the last writer wins. */
  overwriteState(name: string, value: string): void {
    this.#states.set(name, value);
  }

  #attachedHeaders(map: number): FakeHeaders | null {
    if (!this.#attached.has(map)) return null;
    if (map === REQUEST_HEADERS) return this.requestHeaders;
    return map === RESPONSE_HEADERS ? this.responseHeaders : null;
  }

  #changeable(map: number): FakeHeaders | null {
    return this.#readOnly ? null : this.#attachedHeaders(map);
  }
}
