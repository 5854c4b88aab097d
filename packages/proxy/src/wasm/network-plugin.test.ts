import { create } from "@bufbuild/protobuf";
import { packAny } from "@mixerless/wire";
import { WasmSchema } from "@mixerless/wire/envoy/extensions/filters/network/wasm/v3/wasm";
import { describe, expect, it } from "vitest";
import { extension } from "../extension-host/testing/test-extension.ts";
import { ROUTER, routesTo, TestProxy } from "../http/testing/test-proxy.ts";
import type { ConfigFault } from "../network/config-fault.ts";
import { compileNetworkExtension } from "../network/network-extensions.ts";

/** What becomes of a network filter with a plugin from `local`. */
function compile(runtime: string, local: object) {
  const configurations: string[] = [];
  const own = extension(
    {},
    {
      configure: (_host, text) => {
        configurations.push(text);
        return true;
      },
    },
  );
  const manager = { routeConfig: routesTo([]), httpFilters: [ROUTER] };
  const { context } = new TestProxy(manager, { extensions: { "envoy.wasm.stats": own } });
  const config = create(WasmSchema, {
    config: {
      vm: {
        case: "vmConfig",
        value: { runtime, code: { specifier: { case: "local", value: { specifier: local as never } } } },
      },
    },
  });
  const faults: ConfigFault[] = [];
  const any = packAny(WasmSchema, config);
  const factory = compileNetworkExtension(any, "istio.stats", context, "filters[0].typedConfig", faults);
  return { factory, faults, configurations };
}

const NULL_VM = "envoy.wasm.runtime.null";

describe("a Wasm plugin of a TCP chain", () => {
  it("by a name of the null VM watches connections in process", () => {
    const { factory, faults, configurations } = compile(NULL_VM, { case: "inlineString", value: "envoy.wasm.stats" });
    expect(faults).toEqual([]);
    expect(configurations).toEqual([""]);
    expect(factory).not.toBeNull();
  });

  it("by a name that the null VM does not have is refused with the field and a cure", () => {
    const { factory, faults } = compile(NULL_VM, { case: "inlineString", value: "envoy.wasm.other" });
    expect(factory).toBeNull();
    const message = '"envoy.wasm.other" is not built into this proxy; use a name that it has, such as envoy.wasm.stats';
    expect(faults).toEqual([{ path: "filters[0].typedConfig.config.vm_config.code", message }]);
  });

  it("by a module has a say in connections", () => {
    const { factory, faults } = compile("", { case: "filename", value: "/a.wasm" });
    expect(faults).toEqual([]);
    expect(factory).toHaveProperty("filter");
  });
});
