import { create } from "@bufbuild/protobuf";
import { packAny } from "@mixerless/wire";
import { FilterSchema } from "@mixerless/wire/envoy/config/listener/v3/listener_components";
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
  const filter = create(FilterSchema, {
    name: "istio.stats",
    configType: { case: "typedConfig", value: packAny(WasmSchema, config) },
  });
  const factory = compileNetworkExtension(filter, context, "filters[0]", faults);
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

  it.each([
    [NULL_VM, { case: "inlineString", value: "envoy.wasm.other" }, /"envoy.wasm.other" is not built into this proxy/],
    ["", { case: "filename", value: "/a.wasm" }, /modules are not run on connections/],
  ])("by runtime %j from %j is refused with the field and a cure", (runtime, local, message) => {
    const { factory, faults } = compile(runtime, local);
    expect(factory).toBeNull();
    expect(faults).toEqual([
      { path: "filters[0].typedConfig.config.vm_config.code", message: expect.stringMatching(message) },
    ]);
    expect(faults[0]?.message).toMatch(/use the runtime envoy\.wasm\.runtime\.null/);
  });
});
