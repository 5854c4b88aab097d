import { type FailurePolicy, type PluginConfig, pluginConfig, resolveEnvironment } from "./config.ts";
import { JsonReader, type ShapeFault } from "./json-reader.ts";

/** Where a module's bytes are. */
export type CodeSource =
  | { readonly kind: "file"; readonly path: string }
  | { readonly kind: "inline"; readonly bytes: Buffer }
  /** The bytes are the value of a variable of the host's environment. */
  | { readonly kind: "environment"; readonly name: string }
  | {
      readonly kind: "remote";
      readonly uri: string;
      readonly cluster: string;
      readonly timeout: number;
      readonly sha256: string;
    }
  /** A plugin that is compiled into the proxy, by the name that Envoy's null VM knows it by. */
  | { readonly kind: "builtIn"; readonly name: string };

export interface EnvoyPlugin {
  readonly config: PluginConfig;
  readonly code: CodeSource;
  /** Refuse the configuration now if the module isn't in the cache; a later try will find it. */
  readonly nackOnCacheMiss: boolean;
}

const NULL_RUNTIME = "envoy.wasm.runtime.null";
const RUNTIMES = ["", "envoy.wasm.runtime.v8", "envoy.wasm.runtime.wamr", "envoy.wasm.runtime.wasmtime", NULL_RUNTIME];

const POLICIES: Readonly<Record<string, FailurePolicy>> = {
  UNSPECIFIED: "closed",
  FAIL_RELOAD: "reload",
  FAIL_CLOSED: "closed",
  FAIL_OPEN: "open",
};

/**
 * Reads `envoy.extensions.wasm.v3.PluginConfig` in its JSON form, names in either spelling [proxy-wasm §15.1]. `host` is
 * the environment of the proxy, from which only named variables are taken. Faults name the field.
 */
export function readEnvoyPlugin(
  json: unknown,
  host: Readonly<Record<string, string | undefined>>,
): EnvoyPlugin | { readonly faults: readonly ShapeFault[] } {
  const reader = new JsonReader(json, "");
  const vm = reader.object("vm_config");
  const environment = readEnvironment(vm.object("environment_variables"), host);
  const restriction = reader.object("capability_restriction_config").object("allowed_capabilities");
  const config = pluginConfig(reader.text("name"), {
    rootId: reader.text("root_id"),
    configuration: readAny(reader, "configuration"),
    vmId: vm.text("vm_id"),
    vmConfiguration: readAny(vm, "configuration"),
    environment,
    capabilities: restriction.keys.length === 0 ? null : new Set(restriction.keys),
    failurePolicy: readPolicy(reader),
    reloadInterval: readInterval(reader.object("reload_config").object("backoff")),
    allowHeadersStop: reader.boolean("allow_on_headers_stop_iteration"),
  });
  const code = readCode(vm);
  if (reader.faults.length > 0 || code === null) return { faults: reader.faults };
  return { config, code, nackOnCacheMiss: vm.boolean("nack_on_code_cache_miss") };
}

function readPolicy(reader: JsonReader): FailurePolicy {
  const policy = reader.choice("failure_policy", Object.keys(POLICIES), "UNSPECIFIED");
  const open = reader.boolean("fail_open");
  if (open && policy !== "UNSPECIFIED") {
    reader.fault(
      "fail_open",
      "only one of fail_open or failure_policy can be set; fail_open is the older one, so leave it out",
    );
  }
  return open ? "open" : (POLICIES[policy] ?? "closed");
}

function readInterval(backoff: JsonReader): number {
  const interval = backoff.duration("base_interval", 1000);
  if (interval < 1) backoff.fault("base_interval", "must be at least 1 ms");
  return Math.max(interval, 1);
}

function readEnvironment(
  reader: JsonReader,
  host: Readonly<Record<string, string | undefined>>,
): ReadonlyMap<string, string> {
  const values = reader.object("key_values");
  const keyValues = Object.fromEntries(values.keys.map((key) => [key, values.text(key)]));
  const environment = resolveEnvironment({ keyValues, hostKeys: reader.texts("host_env_keys") }, host);
  if (environment instanceof Map) return environment;
  reader.fault("host_env_keys", (environment as { readonly fault: string }).fault);
  return new Map();
}

function readCode(vm: JsonReader): CodeSource | null {
  const runtime = vm.choice("runtime", RUNTIMES, "");
  const local = vm.object("code").object("local");
  const remote = vm.object("code").object("remote");
  if (runtime === NULL_RUNTIME) return { kind: "builtIn", name: local.text("inline_string") };
  if (local.has("filename")) return { kind: "file", path: local.text("filename") };
  if (local.has("inline_bytes")) return { kind: "inline", bytes: Buffer.from(local.text("inline_bytes"), "base64") };
  if (local.has("inline_string")) return { kind: "inline", bytes: Buffer.from(local.text("inline_string"), "utf8") };
  if (local.has("environment_variable")) return { kind: "environment", name: local.text("environment_variable") };
  if (remote.present) return readRemote(remote);
  vm.fault("code", "names no module; set local.filename, local.inline_bytes or remote");
  return null;
}

function readRemote(remote: JsonReader): CodeSource | null {
  const uri = remote.object("http_uri");
  const written = remote.text("sha256").toLowerCase();
  // Envoy takes no empty one; to Istio's agents `nil` says that there is none.
  const sha256 = written === "nil" ? "" : written;
  // An agent that fetches, which Istio names so, can do without.
  const fetched = sha256 === "" && (written === "nil" || uri.text("cluster") === "_");
  if (!fetched && !/^[0-9a-f]{64}$/.test(sha256)) {
    remote.fault("sha256", "must be the module's SHA-256 in 64 hexadecimal digits");
    return null;
  }
  const timeout = uri.duration("timeout", 0);
  return { kind: "remote", uri: uri.text("uri"), cluster: uri.text("cluster"), timeout, sha256 };
}

const STRING = "type.googleapis.com/google.protobuf.StringValue";
const BYTES = "type.googleapis.com/google.protobuf.BytesValue";
const STRUCT = "type.googleapis.com/google.protobuf.Struct";

/** What a plugin gets of an Any [proxy-wasm §15.1]: the content of a wrapper, a Struct as JSON, else the message itself. */
function readAny(reader: JsonReader, field: string): Buffer {
  if (!reader.has(field)) return Buffer.alloc(0);
  const any = reader.object(field);
  const type = any.text("@type");
  if (type === STRING) return Buffer.from(any.text("value"), "utf8");
  if (type === BYTES) return Buffer.from(any.text("value"), "base64");
  if (type === STRUCT) return Buffer.from(JSON.stringify(any.raw("value") ?? {}), "utf8");
  if (any.raw("value") instanceof Uint8Array) return Buffer.from(any.raw("value") as Uint8Array);
  any.fault(
    "@type",
    `${type === "" ? "is missing" : `is ${type}`}; a plugin takes a StringValue, a BytesValue or a Struct`,
  );
  return Buffer.alloc(0);
}
