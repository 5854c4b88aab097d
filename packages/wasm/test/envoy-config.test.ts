import { describe, expect, test } from "vitest";
import { type EnvoyPlugin, readEnvoyPlugin } from "../src/index.ts";

const TYPE = "type.googleapis.com/google.protobuf.";
const LOCAL = { vm_config: { code: { local: { filename: "/a.wasm" } } } };

function read(json: object, host: Record<string, string> = {}): EnvoyPlugin {
  const result = readEnvoyPlugin(json, host);
  if ("faults" in result) throw new Error(JSON.stringify(result.faults));
  return result;
}

function faults(json: unknown): string[] {
  const result = readEnvoyPlugin(json, {});
  return "faults" in result ? result.faults.map(({ path, message }) => `${path}: ${message}`) : [];
}

test("everything, in both spellings", () => {
  const { config, code, nackOnCacheMiss } = read(
    {
      name: "n",
      rootId: "r",
      configuration: { "@type": `${TYPE}StringValue`, value: "caf\u00e9" },
      failure_policy: "FAIL_RELOAD",
      reloadConfig: { backoff: { baseInterval: "0.250s" } },
      allow_on_headers_stop_iteration: true,
      capability_restriction_config: { allowed_capabilities: { proxy_log: {}, fd_write: {} } },
      vm_config: {
        vm_id: "v",
        runtime: "envoy.wasm.runtime.v8",
        configuration: { "@type": `${TYPE}BytesValue`, value: "AAH/" },
        environment_variables: { key_values: { A: "1" }, host_env_keys: ["HOME", "GONE"] },
        nackOnCodeCacheMiss: true,
        code: { local: { inline_bytes: "AGFzbQ==" } },
      },
    },
    { HOME: "/h", OTHER: "x" },
  );
  expect(config).toMatchObject({
    name: "n",
    rootId: "r",
    vmId: "v",
    configuration: Buffer.from("caf\u00e9"),
    vmConfiguration: Buffer.from([0, 1, 255]),
    failurePolicy: "reload",
    reloadInterval: 250,
    allowHeadersStop: true,
  });
  expect([...(config.capabilities ?? [])]).toEqual(["proxy_log", "fd_write"]);
  expect([...config.environment]).toEqual([
    ["A", "1"],
    ["HOME", "/h"],
  ]);
  expect(code).toEqual({ kind: "inline", bytes: Buffer.from("\0asm") });
  expect(nackOnCacheMiss).toBe(true);
});

test("the defaults", () => {
  expect(read(LOCAL).config).toMatchObject({
    name: "",
    configuration: Buffer.alloc(0),
    capabilities: null,
    failurePolicy: "closed",
    reloadInterval: 1000,
    allowHeadersStop: false,
  });
});

test("a Struct becomes compact JSON", () => {
  const value = { list: [1, "a"], deep: { yes: true } };
  const { config } = read({ ...LOCAL, configuration: { "@type": `${TYPE}Struct`, value } });
  expect(config.configuration.toString()).toBe('{"list":[1,"a"],"deep":{"yes":true}}');
});

test("where a module can be", () => {
  const code = (source: object, runtime?: string) =>
    read({ vm_config: { code: source, ...(runtime && { runtime }) } }).code;
  const sha256 = "AB".repeat(32);
  expect(code({ local: { inline_string: "text" } })).toEqual({ kind: "inline", bytes: Buffer.from("text") });
  expect(code({ local: { environment_variable: "MODULE" } })).toEqual({ kind: "environment", name: "MODULE" });
  expect(code({ local: { inline_string: "envoy.wasm.stats" } }, "envoy.wasm.runtime.null")).toEqual({
    kind: "builtIn",
    name: "envoy.wasm.stats",
  });
  expect(code({ remote: { http_uri: { uri: "http://x/a", cluster: "c", timeout: "30s" }, sha256 } })).toEqual({
    ...{ kind: "remote", uri: "http://x/a", cluster: "c", timeout: 30_000 },
    sha256: sha256.toLowerCase(),
  });
  const unchecked = { kind: "remote", uri: "oci://r/p", timeout: 0, sha256: "" };
  expect(code({ remote: { http_uri: { uri: "oci://r/p", cluster: "_" }, sha256: "" } })).toMatchObject(unchecked);
  expect(code({ remote: { http_uri: { uri: "oci://r/p", cluster: "c" }, sha256: "nil" } })).toMatchObject(unchecked);
});

test("old configurations: fail_open, policies by number", () => {
  expect(read({ ...LOCAL, fail_open: true }).config.failurePolicy).toBe("open");
  expect(read({ ...LOCAL, failure_policy: 3 }).config.failurePolicy).toBe("open");
  expect(read({ ...LOCAL, fail_open: false, failure_policy: "FAIL_CLOSED" }).config.failurePolicy).toBe("closed");
});

describe("faults name the field", () => {
  test.each([
    [
      { ...LOCAL, fail_open: true, failure_policy: "FAIL_OPEN" },
      "fail_open: only one of fail_open or failure_policy can be set",
    ],
    [
      { ...LOCAL, failure_policy: "MAYBE" },
      "failure_policy: must be one of UNSPECIFIED, FAIL_RELOAD, FAIL_CLOSED, FAIL_OPEN",
    ],
    [{ ...LOCAL, name: 7 }, "name: must be a text"],
    [
      { ...LOCAL, configuration: { "@type": "type.googleapis.com/x.Y" } },
      "configuration.@type: is type.googleapis.com/x.Y",
    ],
    [
      { ...LOCAL, reload_config: { backoff: { base_interval: "1" } } },
      "reload_config.backoff.base_interval: must be a duration",
    ],
    [
      { ...LOCAL, reload_config: { backoff: { base_interval: "0s" } } },
      "reload_config.backoff.base_interval: must be at least 1 ms",
    ],
    [{ vm_config: {} }, "vm_config.code: names no module"],
    [
      { vm_config: { code: { remote: { sha256: "12" } } } },
      "vm_config.code.remote.sha256: must be the module's SHA-256",
    ],
    [
      { vm_config: { runtime: "lua", code: { local: { filename: "a" } } } },
      "vm_config.runtime: must be one of envoy.wasm.runtime.v8",
    ],
    [
      { vm_config: { ...LOCAL.vm_config, environment_variables: { key_values: { A: "1" }, host_env_keys: ["A"] } } },
      "vm_config.environment_variables.host_env_keys: environment_variables: A is in key_values and in host_env_keys",
    ],
    ["text", ": must be an object"],
  ])("%j", (json, wanted) => {
    expect(faults(json)[0]).toContain(wanted);
  });
});
