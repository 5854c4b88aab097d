import type { HeaderMap } from "../http/header-map.ts";
import { HeaderName } from "../http/header-name.ts";
import { FilterStatus, type FilterStream, HttpFilter } from "../http/http-filter.ts";
import type { ListenerFacts, StreamInfo } from "../stream/stream-info.ts";
import type { AttributeScope, AttributeSource } from "./attributes/attribute.ts";
import type {
  ExtensionHeaderName,
  ExtensionHeaderValue,
  ExtensionStateName,
  ExtensionStream,
  PropertyName,
  StreamHandle,
} from "./extension.ts";
import type { ExtensionInstance } from "./extension-instance.ts";
import type { HeaderNameTable } from "./header-name-table.ts";

const REQUEST_HEADERS = 0;
const REQUEST_TRAILERS = 1;
const RESPONSE_HEADERS = 2;
const RESPONSE_TRAILERS = 3;
const NOTHING = -1;
/** While the stream is logged all maps are attached and none may be changed. */
const LOGGING = 4;

/** What an extension answers in place of the upstream. */
interface Reply {
  readonly status: number;
  readonly body: string;
  /** Names and values in turn. */
  readonly headers: readonly string[];
}

interface Piece {
  readonly buffer: Buffer;
  readonly start: number;
  readonly end: number;
}

/**
 * An in-process extension on one HTTP stream: the filter and the handle that its stream context sees. As in the
 * Wasm ABI a header map is attached during its own callback only, and all of them, read-only, in `onLog`.
 */
export class ExtensionFilter extends HttpFilter implements StreamHandle, AttributeSource {
  readonly #instance: ExtensionInstance;
  readonly #names: HeaderNameTable;
  /** Null once it has thrown, or where it could not be made. */
  #context: ExtensionStream | null;
  readonly #opened: boolean;
  #attached = NOTHING;
  #map: HeaderMap | null = null;
  #requestSeen = false;
  /** The piece of a body that a callback is about. */
  #bytes: Piece | null = null;
  #reply: Reply | null = null;
  #answered = false;

  constructor(stream: FilterStream, instance: ExtensionInstance, names: HeaderNameTable) {
    super(stream);
    this.#instance = instance;
    this.#names = names;
    this.#context = instance.openStream(this);
    this.#opened = this.#context !== null;
  }

  get info(): StreamInfo {
    return this.stream.info;
  }
  get listener(): ListenerFacts {
    return this.stream.info.listener;
  }
  get scope(): AttributeScope {
    return this.#instance.scope;
  }

  override decodeHeaders(headers: HeaderMap, endStream: boolean): number {
    this.#requestSeen = true;
    const context = this.#enter(REQUEST_HEADERS, headers);
    if (context === null) return FilterStatus.Continue;
    try {
      context.onRequestHeaders(headers.size, endStream);
    } catch (error) {
      this.#fail(error);
    }
    return this.#leave();
  }

  override decodeData(buffer: Buffer, start: number, end: number, endStream: boolean): number {
    if (this.#answered) return FilterStatus.Taken;
    const context = this.#enter(NOTHING, null);
    if (context === null) return FilterStatus.Continue;
    this.#bytes = { buffer, start, end };
    try {
      context.onRequestBody(end - start, endStream);
    } catch (error) {
      this.#fail(error);
    }
    return this.#leave();
  }

  override decodeTrailers(trailers: HeaderMap): number {
    if (this.#answered) return FilterStatus.Taken;
    const context = this.#enter(REQUEST_TRAILERS, trailers);
    if (context === null) return FilterStatus.Continue;
    try {
      context.onRequestTrailers(trailers.size);
    } catch (error) {
      this.#fail(error);
    }
    return this.#leave();
  }

  override encodeHeaders(headers: HeaderMap, endStream: boolean): number {
    // A stream that was answered before it came here is only logged.
    const context = this.#requestSeen ? this.#enter(RESPONSE_HEADERS, headers) : null;
    if (context === null) return FilterStatus.Continue;
    try {
      context.onResponseHeaders(headers.size, endStream);
    } catch (error) {
      this.#fail(error);
    }
    return this.#leave();
  }

  override encodeData(buffer: Buffer, start: number, end: number, endStream: boolean): number {
    const context = this.#requestSeen ? this.#enter(NOTHING, null) : null;
    if (context === null) return FilterStatus.Continue;
    this.#bytes = { buffer, start, end };
    try {
      context.onResponseBody(end - start, endStream);
    } catch (error) {
      this.#fail(error);
    }
    return this.#leave();
  }

  override encodeTrailers(trailers: HeaderMap): number {
    const context = this.#requestSeen ? this.#enter(RESPONSE_TRAILERS, trailers) : null;
    if (context === null) return FilterStatus.Continue;
    try {
      context.onResponseTrailers(trailers.size);
    } catch (error) {
      this.#fail(error);
    }
    return this.#leave();
  }

  override onLog(): void {
    const context = this.#enter(LOGGING, null);
    if (context !== null) {
      try {
        context.onLog();
        context.onDone();
        context.onDelete();
      } catch (error) {
        this.#fail(error);
      }
      this.#leave();
    }
    this.#context = null;
    if (this.#opened) this.#instance.streamClosed();
  }

  // The handle.

  getString(property: PropertyName): string | null {
    return this.#instance.properties.string(property, this);
  }

  getNumber(property: PropertyName, missing: number): number {
    return this.#instance.properties.number(property, this, missing);
  }

  getHeader(map: number, name: ExtensionHeaderName): string | null {
    return this.#readable(map)?.getFirst(this.#names.of(name)) ?? null;
  }

  headerSize(map: number, name: ExtensionHeaderName): number {
    return this.#readable(map)?.firstLength(this.#names.of(name)) ?? -1;
  }

  replaceHeader(map: number, name: ExtensionHeaderName, value: ExtensionHeaderValue): void {
    if (map === this.#attached) this.#map?.setChecked(this.#names.of(name), this.#names.checked(value));
  }

  addHeader(map: number, name: ExtensionHeaderName, value: ExtensionHeaderValue): void {
    if (map === this.#attached) this.#map?.add(this.#names.of(name), value.text);
  }

  removeHeader(map: number, name: ExtensionHeaderName): void {
    if (map === this.#attached) this.#map?.remove(this.#names.of(name));
  }

  sendLocalReply(status: number, body: string, headers: string[]): void {
    if (this.#answered || this.#attached === LOGGING) return;
    this.#answered = true;
    this.#reply = { status, body, headers };
  }

  getBody(): string {
    const piece = this.#bytes;
    return piece === null ? "" : piece.buffer.toString("latin1", piece.start, piece.end);
  }

  // A module can hold back, change bodies and make calls. In process a plugin is asked and goes on.

  setBody(): void {}
  resume(): void {}
  httpCall(): number {
    return 0;
  }
  getCallHeader(): string | null {
    return null;
  }
  getCallBody(): string {
    return "";
  }

  getState(name: ExtensionStateName): string | null {
    const value = this.info.filterState.get(name.name);
    return typeof value === "string" ? value : null;
  }

  setState(name: ExtensionStateName, value: string): void {
    this.info.filterState.set(name.name, value);
  }

  #readable(map: number): HeaderMap | null {
    if (map === this.#attached) return this.#map;
    if (this.#attached !== LOGGING) return null;
    switch (map) {
      case REQUEST_HEADERS:
        return this.info.requestHeaders;
      case REQUEST_TRAILERS:
        return this.info.requestTrailers;
      case RESPONSE_HEADERS:
        return this.info.responseHeaders;
      case RESPONSE_TRAILERS:
        return this.info.responseTrailers;
      default:
        return null;
    }
  }

  #enter(attached: number, map: HeaderMap | null): ExtensionStream | null {
    if (this.#context === null) return null;
    this.#attached = attached;
    this.#map = map;
    this.#instance.enter();
    return this.#context;
  }

  /** An in-process extension cannot resume a stream, so none is paused either; it may answer one. */
  #leave(): number {
    this.#instance.leave();
    this.#attached = NOTHING;
    this.#map = null;
    this.#bytes = null;
    const reply = this.#reply;
    if (reply === null) return FilterStatus.Continue;
    this.#reply = null;
    this.stream.sendLocalReply({
      ...{ status: reply.status, body: reply.body, details: "extension_reply", flags: 0, grpcStatus: null },
      edit: (headers) => {
        for (let i = 0; i + 1 < reply.headers.length; i += 2) {
          headers.add(HeaderName.transient((reply.headers[i] as string).toLowerCase()), reply.headers[i + 1] as string);
        }
      },
    });
    return FilterStatus.Taken;
  }

  #fail(error: unknown): void {
    this.#context = null;
    this.#instance.report(error);
  }
}
