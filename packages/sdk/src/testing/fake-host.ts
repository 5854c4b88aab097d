import type { RootContext } from "../native/context.ts";
import type { RootHandle } from "../native/handles.ts";
import type { Attribute } from "./attributes.ts";
import { FakeExchange } from "./fake-exchange.ts";
import { FakeMetrics } from "./fake-metrics.ts";
import { type Evaluator, FakeRoot } from "./fake-root.ts";
import { FakeStream, type FakeStreamOptions } from "./fake-stream.ts";

/** One extension of a fake chain. */
export interface FakeFilter {
  /** What the source of an extension exports. */
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
  /** As {@link FakeRootOptions} has them. */
  readonly expressions?: Readonly<Record<string, Evaluator | null>>;
}

/** A data plane without data: runs extensions on streams that a test describes, under virtual time. */
export class FakeHost {
  /** What the extensions have counted. */
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

  /** A stream begins: an HTTP request, or a TCP connection. */
  open(options: FakeStreamOptions = {}): FakeExchange {
    return new FakeExchange(this.#contexts, new FakeStream(this.#attributes, options));
  }
}

/** A byte string, as hosts hand configurations over. */
function configurationText(configuration: unknown): string {
  if (configuration === undefined) return "";
  const text = typeof configuration === "string" ? configuration : JSON.stringify(configuration);
  return Buffer.from(text, "utf8").toString("latin1");
}
