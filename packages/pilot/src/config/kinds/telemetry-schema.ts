// Telemetry (§8.8, telemetry §4.6).
import type { Cursor } from "../schema/cursor.ts";
import { duration } from "../schema/duration.ts";
import { asWritten, lists, object, optional, required, withDefault } from "../schema/object.ts";
import { boolean, convert, map, nonEmpty, number, oneOf, type Reader, string } from "../schema/reader.ts";
import { attachment, attachmentFields } from "../schema/shared-readers.ts";
import { checkLabelExpression, checkLogExpression } from "./expression-text.ts";
import type {
  CustomTag,
  MetricsOverride,
  TagOverride,
  TelemetryAccessLogging,
  TelemetryMetrics,
  TelemetrySpec,
  TelemetryTracing,
} from "./policies.ts";

const METRICS = [
  "ALL_METRICS",
  "REQUEST_COUNT",
  "REQUEST_DURATION",
  "REQUEST_SIZE",
  "RESPONSE_SIZE",
  "TCP_OPENED_CONNECTIONS",
  "TCP_CLOSED_CONNECTIONS",
  "TCP_SENT_BYTES",
  "TCP_RECEIVED_BYTES",
  "GRPC_REQUEST_MESSAGES",
  "GRPC_RESPONSE_MESSAGES",
] as const;

const mode = oneOf("CLIENT_AND_SERVER", "CLIENT", "SERVER");
const modeMatch = optional(object({ mode: withDefault(mode, "CLIENT_AND_SERVER") }));
const providers = lists(convert(object({ name: required(nonEmpty) }), ({ name }) => name));

const tagOverride: Reader<TagOverride> = asWritten(
  object({ operation: withDefault(oneOf("UPSERT", "REMOVE"), "UPSERT"), value: withDefault(string, "") }),
  (has, read, at) => {
    if (read.operation === "UPSERT" && read.value === "") {
      at.error("missing-field", "value must be set when operation is UPSERT.", "Add value, or set operation: REMOVE.");
    }
    if (read.operation === "REMOVE" && has("value")) {
      at.error("value-not-allowed", "value must not be set when operation is REMOVE.", "Remove value.");
    }
    if (read.operation === "UPSERT" && read.value !== "") checkLabelExpression(read.value, at.at("value"));
  },
);

const tagOverrides = map(tagOverride, {
  key: (tag, at) => {
    if (tag === "") at.warn("empty-text", "The tag has no name.", "Write the name of a label.");
  },
});

const metricMatch = object({
  metric: optional(oneOf(...METRICS)),
  customMetric: optional(nonEmpty),
  mode: withDefault(mode, "CLIENT_AND_SERVER"),
});

const NO_TAGS: Readonly<Record<string, TagOverride>> = Object.freeze(
  Object.create(null) as Record<string, TagOverride>,
);

const override: Reader<MetricsOverride> = convert(
  object({
    match: optional(metricMatch),
    disabled: optional(boolean),
    tagOverrides: withDefault(tagOverrides, NO_TAGS),
  }),
  ({ match, ...read }, at) => {
    if (match?.metric !== undefined && match.customMetric !== undefined) {
      at.at("match").error("several-alternatives", "metric and customMetric are set together.", "Keep one of them.");
    }
    const metric = match?.customMetric ?? match?.metric ?? "ALL_METRICS";
    const custom = match?.customMetric !== undefined;
    return Object.freeze({ ...read, metric, custom, mode: match?.mode ?? "CLIENT_AND_SERVER" });
  },
);

const metrics: Reader<TelemetryMetrics> = object({
  providers,
  overrides: lists(override),
  reportingInterval: optional(duration()),
});

const accessLogging: Reader<TelemetryAccessLogging> = convert(
  object({
    match: modeMatch,
    providers,
    disabled: optional(boolean),
    filter: optional(object({ expression: withDefault(string, "") })),
  }),
  ({ match, filter, ...read }, at) => {
    const expression = filter === undefined ? {} : { filter: filter.expression };
    if (filter !== undefined && filter.expression !== "") {
      checkLogExpression(filter.expression, at.at("filter").at("expression"));
    }
    return Object.freeze({ ...read, ...expression, mode: match?.mode ?? "CLIENT_AND_SERVER" });
  },
);

const valueTag = object({ value: required(nonEmpty) });
const namedTag = object({ name: required(nonEmpty), defaultValue: withDefault(string, "") });

const customTag: Reader<CustomTag> = convert(
  object({
    literal: optional(valueTag),
    formatter: optional(valueTag),
    environment: optional(namedTag),
    header: optional(namedTag),
  }),
  (read, at) => {
    const types = (["literal", "formatter", "environment", "header"] as const).filter(
      (type) => read[type] !== undefined,
    );
    if (types.length !== 1) {
      at.error(
        "bad-tag",
        `The tag has ${types.length} sources; it needs one.`,
        "Set literal, header, environment or formatter.",
      );
      return undefined;
    }
    if (read.literal !== undefined) return Object.freeze({ type: "literal", ...read.literal });
    if (read.formatter !== undefined) return Object.freeze({ type: "formatter", ...read.formatter });
    if (read.environment !== undefined) return Object.freeze({ type: "environment", ...read.environment });
    return read.header === undefined ? undefined : Object.freeze({ type: "header", ...read.header });
  },
);

const customTags = map(customTag, {
  key: (tag, at) => {
    if (tag === "") at.error("empty-text", "The tag has no name.", "Write a name.");
  },
});

const tracing: Reader<TelemetryTracing> = convert(
  object({
    match: modeMatch,
    providers,
    randomSamplingPercentage: optional(number({ min: 0, max: 100 })),
    disableSpanReporting: optional(boolean),
    customTags: optional(customTags),
    useRequestIdForTraceSampling: optional(boolean),
    enableIstioTags: optional(boolean),
    disableContextPropagation: optional(boolean),
  }),
  ({ match, ...read }, at) => {
    if (read.providers.length > 1) {
      at.at("providers").warn("multiple-providers", "multiple providers: only the first one traces.", "Keep one.");
    }
    return Object.freeze({ ...read, mode: match?.mode ?? "CLIENT_AND_SERVER" });
  },
);

export const telemetry: Reader<TelemetrySpec> = convert(
  object({
    ...attachmentFields,
    metrics: lists(metrics),
    accessLogging: lists(accessLogging),
    tracing: lists(tracing),
  }),
  ({ selector, targetRef, targetRefs, ...read }, at: Cursor) => {
    if (read.tracing.length > 1) {
      at.at("tracing").warn("multiple-tracing", "multiple tracing entries are not all honoured.", "Keep one per mode.");
    }
    const written = { ...(selector && { selector }), ...(targetRef && { targetRef }), targetRefs };
    return Object.freeze({ ...read, ...attachment(written, at) });
  },
);
