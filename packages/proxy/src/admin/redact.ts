import type { JsonObject, JsonValue } from "@bufbuild/protobuf";

/** Fields that Envoy's definitions mark as sensitive, and those of extensions that hold what opens a door. */
const SENSITIVE: ReadonlySet<string> = new Set([
  ...["private_key", "private_key_provider", "password", "session_ticket_keys", "hmac_secret", "client_secret"],
  ...["token_secret", "generic_secret", "secret_key", "access_key", "api_key", "shared_secret"],
  // With what a plugin's image is pulled, as Istio's control plane sends it.
  "ISTIO_META_WASM_IMAGE_PULL_SECRET",
]);

const HIDDEN = "[redacted]";

/** A configuration without its secrets: whatever text or number lies in a sensitive field is replaced. */
export function redact(value: JsonObject): JsonObject {
  return copy(value, false) as JsonObject;
}

function copy(value: JsonValue, hide: boolean): JsonValue {
  if (Array.isArray(value)) return value.map((item) => copy(item, hide));
  if (typeof value !== "object" || value === null) return hide && value !== null ? HIDDEN : value;
  const result: JsonObject = {};
  for (const [key, item] of Object.entries(value))
    result[key] = copy(item, hide || SENSITIVE.has(key) || SENSITIVE.has(snakeCase(key)));
  return result;
}

function snakeCase(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
