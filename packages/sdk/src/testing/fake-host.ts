import { REQUEST_HEADERS, RESPONSE_HEADERS } from "../native/constants.ts";
import type { RootContext, StreamContext } from "../native/context.ts";
import type { RootHandle } from "../native/handles.ts";
import type { Attribute } from "./attributes.ts";
import { FakeMetrics } from "./fake-metrics.ts";
import { type Evaluator, FakeRoot } from "./fake-root.ts";
import { type FakeHeaders, FakeStream, type FakeStreamOptions } from "./fake-stream.ts";

/** One extension of a fake chain. */
export interface FakeFilter {
  readonly createRoot: (host: RootHandle) => RootContext;
  /** Handed over as JSON; a string is handed over as it is. */
  readonly configuration?: unknown;
}

/** What a fake host is made of. */
export interface FakeHostOptions {
  /** In the order of the request path. */
  readonly filters: readonly FakeFilter[];
  /** Properties that need no stream, e.g. `{ xds: { node: …, listener_direction: 1 } }`. */
  readonly attributes: Attribute;
  readonly expressions?: Readonly<Record<string, Evaluator | null>>;
}

/** A data plane without data: runs extensions on streams that a test describes, under virtual time. */
export class FakeHost {
  readonly metrics = new FakeMetrics();
  /** The host of each extension. */
  readonly roots: FakeRoot[] = [];
  /** What each `onConfigure` answered. */
  readonly accepted: boolean[] = [];
  readonly #attributes: Attribute;
  readonly #contexts: RootContext[] = [];

  constructor(options: FakeHostOptions) {
    this.#attributes = options.attributes;
    for (const filter of options.filters) {
      const root = new FakeRoot({ ...options, metrics: this.metrics });
      const context = filter.createRoot(root);
      root.attach(context);
      this.roots.push(root);
      this.accepted.push(context.onConfigure(configurationText(filter.configuration)));
      this.#contexts.push(context);
    }
  }

  /** Everything that the extensions logged, as `level: message`. */
  get logs(): string[] {
    return this.roots.flatMap((root) => root.logs);
  }

  /** Lets `milliseconds` pass, with every tick that falls due. */
  advance(milliseconds: number): void {
    for (const root of this.roots) root.advance(milliseconds);
  }

  /** The end of every extension: no stream is left and none will come. */
  close(): void {
    for (const context of this.#contexts) (context as { onClose?(): void }).onClose?.();
  }

  open(options: FakeStreamOptions = {}): FakeExchange {
    return new FakeExchange(this.#contexts, new FakeStream(this.#attributes, options));
  }
}

/** One stream of a {@link FakeHost}, driven step by step. */
export class FakeExchange {
  readonly stream: FakeStream;
  readonly #contexts: StreamContext[];

  constructor(roots: readonly RootContext[], stream: FakeStream) {
    this.stream = stream;
    this.#contexts = roots.map((root) => root.createStream(stream));
  }

  /** The request headers arrive. Gives what is left of them for the next filter. */
  request(): FakeHeaders {
    for (const context of this.#contexts) {
      this.stream.during([REQUEST_HEADERS], false, () => {
        context.onRequestHeaders(this.stream.requestHeaders.length, true);
      });
    }
    return this.stream.requestHeaders;
  }

  /** The response headers arrive. Gives what is left of them for the client. */
  response(headers: FakeHeaders = []): FakeHeaders {
    this.stream.responseHeaders = headers;
    for (const context of this.#contexts.toReversed()) {
      this.stream.during([RESPONSE_HEADERS], false, () => {
        context.onResponseHeaders(this.stream.responseHeaders.length, true);
      });
    }
    return this.stream.responseHeaders;
  }

  /** A TCP connection instead of a request. */
  connect(): void {
    for (const context of this.#contexts) context.onNewConnection();
  }

  /** The stream is complete; `attributes` are the facts at its end, if they differ from those at its beginning. */
  end(attributes: Attribute = this.stream.attributes): void {
    this.stream.attributes = attributes;
    for (const context of this.#contexts) {
      this.stream.during([REQUEST_HEADERS, RESPONSE_HEADERS], true, () => context.onLog());
    }
    this.abort();
  }

  /** The stream is deleted without having been logged. */
  abort(): void {
    for (const context of this.#contexts) context.onDone();
    for (const context of this.#contexts) context.onDelete();
  }
}

/** A byte string, as hosts hand configurations over. */
function configurationText(configuration: unknown): string {
  if (configuration === undefined) return "";
  const text = typeof configuration === "string" ? configuration : JSON.stringify(configuration);
  return Buffer.from(text, "utf8").toString("latin1");
}
