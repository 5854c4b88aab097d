import type { JsonObject, JsonValue } from "@bufbuild/protobuf";

/** Filters around a plugin, by the names of an older API and of today's. */
const FILTERS: Readonly<Record<string, string>> = {
  "envoy.config.filter.http.wasm.v2.Wasm": "envoy.extensions.filters.http.wasm.v3.Wasm",
  "envoy.config.filter.network.wasm.v2.Wasm": "envoy.extensions.filters.network.wasm.v3.Wasm",
};
const TODAY: ReadonlySet<string> = new Set(Object.values(FILTERS));

/** The name that the message has today. */
export function nameOfToday(typeName: string): string {
  return (Object.hasOwn(FILTERS, typeName) ? FILTERS[typeName] : undefined) ?? typeName;
}

/**
 * A Wasm filter as releases before 1.7 write it, where configurations are plain texts, in the form of today's message.
 * Only JSON can be such: these filters come as TypedStructs. Other messages are as they were.
 */
export function formOfToday(typeName: string, value: JsonObject): JsonObject {
  const { config } = value;
  if (!TODAY.has(typeName) || !isObject(config)) return value;
  const plugin = withMessage(config);
  for (const field of ["vm_config", "vmConfig"]) {
    const vm = plugin[field];
    if (isObject(vm)) plugin[field] = withMessage(vm);
  }
  return { ...value, config: plugin };
}

function withMessage(part: JsonObject): JsonObject {
  const { configuration } = part;
  if (typeof configuration !== "string") return { ...part };
  const message = { "@type": "type.googleapis.com/google.protobuf.StringValue", value: configuration };
  return { ...part, configuration: message };
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
