import { CONTINUE, REQUEST_HEADERS, RESPONSE_HEADERS } from "../native/constants.ts";
import type { RootContext, StreamContext } from "../native/context.ts";
import type { Attribute } from "./attributes.ts";
import type { FakeFlow } from "./fake-flow.ts";
import type { FakeHeaders } from "./fake-headers.ts";
import type { FakeStream } from "./fake-stream.ts";

/** What one filter does in a direction; gives the answer of its callback. */
type Step = (context: StreamContext) => number;

/** One stream of a fake host, driven step by step. */
export class FakeExchange {
  /** Its headers, bodies, reply and calls, as the plugins have left them. */
  readonly stream: FakeStream;
  readonly #contexts: StreamContext[];
  readonly #reversed: StreamContext[];

  constructor(roots: readonly RootContext[], stream: FakeStream) {
    this.stream = stream;
    this.#contexts = roots.map((root) => root.createStream(stream));
    this.#reversed = this.#contexts.toReversed();
  }

  /** The request headers arrive; `end`: there is no body. Gives what is left of them for the next filter. */
  request(end = true): FakeHeaders {
    const { stream } = this;
    this.#headers(stream.request, this.#contexts, (context) =>
      stream.during(context, [REQUEST_HEADERS], false, () =>
        context.onRequestHeaders(stream.requestHeaders.length, end),
      ),
    );
    return stream.requestHeaders;
  }

  /** A piece of the request's body arrives; `end`: the last. Gives what goes on now, "" while a plugin holds it back. */
  requestBody(bytes: string, end = true): string {
    const { stream } = this;
    return this.#body(stream.request, this.#contexts, bytes, (context) =>
      stream.during(context, [], false, () => context.onRequestBody(stream.request.body.length, end)),
    );
  }

  /** The response headers arrive; `end`: there is no body. Gives what is left of them for the client. */
  response(headers: FakeHeaders = [], end = true): FakeHeaders {
    const { stream } = this;
    stream.responseHeaders = headers;
    this.#headers(stream.response, this.#reversed, (context) =>
      stream.during(context, [RESPONSE_HEADERS], false, () =>
        context.onResponseHeaders(stream.responseHeaders.length, end),
      ),
    );
    return stream.responseHeaders;
  }

  /** A piece of the response's body arrives. As {@link requestBody}. */
  responseBody(bytes: string, end = true): string {
    const { stream } = this;
    return this.#body(stream.response, this.#reversed, bytes, (context) =>
      stream.during(context, [], false, () => context.onResponseBody(stream.response.body.length, end)),
    );
  }

  /** A TCP connection instead of a request. */
  connect(): void {
    for (const context of this.#contexts) this.stream.during(context, [], false, () => context.onNewConnection());
  }

  /** The stream is complete; `attributes` are the facts at its end, if they differ from those at its beginning. */
  end(attributes: Attribute = this.stream.attributes): void {
    this.stream.attributes = attributes;
    for (const context of this.#contexts) {
      this.stream.during(context, [REQUEST_HEADERS, RESPONSE_HEADERS], true, () => context.onLog());
    }
    this.abort();
  }

  /** The stream is deleted without having been logged. */
  abort(): void {
    for (const context of this.#contexts) context.onDone();
    for (const context of this.#contexts) context.onDelete();
  }

  /** From the filter at `from` on, until one pauses or answers by itself. */
  #headers(flow: FakeFlow, contexts: readonly StreamContext[], step: Step, from = 0): void {
    if (flow.paused) throw new Error("a plugin still holds this direction back");
    for (let at = from; at < contexts.length && this.stream.reply === null; at++) {
      flow.begin();
      const result = step(contexts[at] as StreamContext);
      if (result !== CONTINUE && flow.hold(at, () => this.#headers(flow, contexts, step, at + 1))) return;
    }
  }

  #body(flow: FakeFlow, contexts: readonly StreamContext[], bytes: string, step: Step): string {
    const before = flow.passed.length;
    const from = Math.max(flow.heldBy, 0);
    const held = flow.paused ? flow.body : "";
    flow.heldBy = -1;
    this.#pieces(flow, contexts, step, from, held, bytes);
    return flow.passed.slice(before);
  }

  #pieces(
    flow: FakeFlow,
    contexts: readonly StreamContext[],
    step: Step,
    from: number,
    held: string,
    bytes: string,
  ): void {
    flow.body = held + bytes;
    flow.piece = bytes;
    for (let at = from; at < contexts.length; at++) {
      flow.begin();
      const result = step(contexts[at] as StreamContext);
      if (this.stream.reply !== null) return;
      const next = () => this.#pieces(flow, contexts, step, at + 1, "", flow.body);
      if (result !== CONTINUE && flow.hold(at, next)) return;
      flow.piece = flow.body;
    }
    flow.passed += flow.body;
    flow.body = "";
  }
}
