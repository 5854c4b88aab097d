import type {
  ConnectionLimit,
  RefusedRequest,
  RequestDecoder,
  ResetReason,
  ResponseDecoder,
  ResponseEncoder,
  ServerConnectionCallbacks,
} from "../../http/codec.ts";
import { HeaderMap } from "../../http/header-map.ts";
import { H, HeaderName } from "../../http/header-name.ts";

/** One message as a decoder was told of it. Checks the order of the calls. */
export class RecordedMessage implements RequestDecoder, ResponseDecoder {
  headers: HeaderMap | null = null;
  readonly informational: HeaderMap[] = [];
  trailers: HeaderMap | null = null;
  #body: Buffer[] = [];
  calls = 0;
  ended = false;
  resetBy: ResetReason | null = null;
  drains = 0;
  onEvent: (event: "headers" | "data" | "end") => void = () => {};

  onInformational(headers: HeaderMap): void {
    this.#check(this.headers === null);
    this.informational.push(headers);
  }

  onHeaders(headers: HeaderMap, endStream: boolean): void {
    this.#check(this.headers === null);
    this.headers = headers;
    this.onEvent("headers");
    if (endStream) this.#end();
  }

  onData(buffer: Buffer, start: number, end: number, endStream: boolean): void {
    this.#check(this.headers !== null && (end > start || endStream));
    this.#body.push(Buffer.from(buffer.subarray(start, end)));
    this.onEvent("data");
    if (endStream) this.#end();
  }

  onTrailers(trailers: HeaderMap): void {
    this.#check(this.headers !== null);
    this.trailers = trailers;
    this.#end();
  }

  onReset(reason: ResetReason): void {
    this.#check(true);
    this.resetBy = reason;
  }

  onDrain(): void {
    this.#check(true);
    this.drains++;
  }

  get body(): string {
    return Buffer.concat(this.#body).toString("latin1");
  }

  get dataCalls(): number {
    return this.#body.length;
  }

  get(name: string): string | null {
    return this.headers?.get(HeaderName.of(name)) ?? null;
  }

  #check(allowed: boolean): void {
    this.calls++;
    if (!allowed || this.resetBy !== null) throw new Error("the codec made a call that it must not make");
  }

  #end(): void {
    if (this.ended) throw new Error("the message ended twice");
    this.ended = true;
    this.onEvent("end");
  }
}

export interface RecordedStream {
  readonly encoder: ResponseEncoder;
  readonly request: RecordedMessage;
}

/** What stands above a server connection. */
export class RecordingServer implements ServerConnectionCallbacks {
  readonly streams: RecordedStream[] = [];
  readonly refused: RefusedRequest[] = [];
  readonly limits: ConnectionLimit[] = [];
  closed = 0;
  /** Called for each request when its headers, then when its last byte has arrived. */
  onHeaders: (stream: RecordedStream) => void = () => {};
  onRequest: (stream: RecordedStream) => void = () => {};

  onStream(encoder: ResponseEncoder): RequestDecoder {
    const request = new RecordedMessage();
    const stream = { encoder, request };
    request.onEvent = (event) => {
      if (event === "headers") this.onHeaders(stream);
      if (event === "end") this.onRequest(stream);
    };
    this.streams.push(stream);
    return request;
  }

  onRefused(request: RefusedRequest): void {
    this.refused.push(request);
  }

  onLimit(limit: ConnectionLimit): void {
    this.limits.push(limit);
  }

  onClose(): void {
    this.closed++;
  }

  get requests(): RecordedMessage[] {
    return this.streams.map((stream) => stream.request);
  }
}

/** Each field as `name=value`. */
export function fieldsOf(headers: HeaderMap | null): string[] {
  const fields: string[] = [];
  headers?.forEach((name, value) => {
    fields.push(`${name}=${value}`);
  });
  return fields;
}

/** Headers in the order given; names may repeat. */
export function headersOf(fields: readonly (readonly [string, string])[]): HeaderMap {
  const headers = new HeaderMap();
  for (const [name, value] of fields) headers.add(HeaderName.of(name), value);
  return headers;
}

export function responseHeaders(status: number, fields: readonly (readonly [string, string])[] = []): HeaderMap {
  return headersOf([[H.status.text, String(status)], ...fields]);
}

export function requestHeaders(
  method: string,
  path: string,
  fields: readonly (readonly [string, string])[] = [],
): HeaderMap {
  return headersOf([
    [":authority", "reviews:9080"],
    [":path", path],
    [":method", method],
    [":scheme", "http"],
    ...fields,
  ]);
}

export function send(encoder: ResponseEncoder, text: string, end: boolean): void {
  const bytes = Buffer.from(text, "latin1");
  encoder.sendData(bytes, 0, bytes.length, end);
}

/** Answers 200 with a short body. */
export function answerOk(stream: RecordedStream): void {
  stream.encoder.sendHeaders(responseHeaders(200, [["content-length", "2"]]), false);
  send(stream.encoder, "ok", true);
}

/** Lets everything that was deferred happen. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
