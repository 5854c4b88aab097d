import { responseFlags } from "@mixerless/extensions";
import {
  type ExpressionHandle,
  HeaderName,
  Property,
  REQUEST_HEADERS,
  type RootContext,
  type StreamContext,
  toInt,
} from "@mixerless/sdk";
import type { StackdriverConfig } from "../config/plugin-config.ts";
import { type Attributes, textOf } from "../filter/attributes.ts";
import { fromByteString } from "../filter/text.ts";
import { DryRun, responseDetails } from "./authorization-labels.ts";
import { type Labels, withoutEmpty } from "./log-labels.ts";

/** Google cuts values at 64 KiB; nobody reads that much either. */
const MOST_VALUE = 8192;

/** The labels of one stream's entries that others don't share [telemetry §5.4]. */
export class EntryLabels {
  readonly #attributes: Attributes;
  readonly #custom: readonly (readonly [label: string, expression: ExpressionHandle])[];
  readonly #dryRun = new DryRun();
  readonly #verdict = new Property(["istio.access_log_policy"]);
  readonly #connectionId = new Property(["connection", "id"]);
  readonly #upstreamHost = new Property(["upstream", "address"]);
  readonly #serverName = new Property(["connection", "requested_server_name"]);
  readonly #transportFailure = new Property(["upstream", "transport_failure_reason"]);
  readonly #details = new Property(["response", "code_details"]);
  readonly #terminated = new Property(["connection", "termination_details"]);
  readonly #requestId = new Property(["request", "id"]);
  readonly #originalPath = new HeaderName("x-envoy-original-path");
  readonly #originalHost = new HeaderName("x-envoy-original-dst-host");

  constructor(root: RootContext, attributes: Attributes, config: StackdriverConfig) {
    this.#attributes = attributes;
    this.#custom = config.customLabels.flatMap(([label, text]) => {
      const expression = root.expression(text);
      return expression === null ? [] : [[label, expression] as const];
    });
  }

  /** What the sampling filter before this one has said; "" where there is none. */
  verdict(stream: StreamContext): string {
    return textOf(stream, this.#verdict);
  }

  of(stream: StreamContext): Labels {
    const attributes = this.#attributes;
    const header = (name: HeaderName) => fromByteString(stream.getHeader(REQUEST_HEADERS, name) ?? "");
    const details = textOf(stream, this.#details) || textOf(stream, this.#terminated);
    const labels = {
      response_flag: responseFlags(toInt(stream.getNumber(attributes.flags, 0))),
      log_sampled: String(this.verdict(stream) !== ""),
      ...withoutEmpty({
        connection_id: textOf(stream, this.#connectionId),
        upstream_cluster: textOf(stream, attributes.cluster),
        route_name: textOf(stream, attributes.route),
        upstream_host: textOf(stream, this.#upstreamHost),
        requested_server_name: textOf(stream, this.#serverName),
        "x-envoy-original-path": header(this.#originalPath),
        "x-envoy-original-dst-host": header(this.#originalHost),
        upstream_transport_failure_reason: textOf(stream, this.#transportFailure),
        request_id: textOf(stream, this.#requestId),
      }),
      ...responseDetails(details),
      ...this.#dryRun.labels(stream),
      ...this.#customLabels(stream),
    };
    return Object.fromEntries(Object.entries(labels).map(([name, value]) => [name, value.slice(0, MOST_VALUE)]));
  }

  /** The last word: they may replace others. */
  #customLabels(stream: StreamContext): Labels {
    const values = this.#custom.flatMap(([label, expression]) => {
      const value = expression.evaluate(stream.host);
      return value === null ? [] : [[label, fromByteString(value)] as const];
    });
    return Object.fromEntries(values);
  }
}
