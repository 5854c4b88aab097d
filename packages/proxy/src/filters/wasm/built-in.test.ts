import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { assemble, moduleText } from "@mixerless/wasm/testing";
import { afterEach, describe, expect, it } from "vitest";
import { extension } from "../../extension-host/testing/test-extension.ts";
import { ROUTER, routesTo, TestProxy, type TestProxyOptions } from "../../http/testing/test-proxy.ts";

/** An HTTP filter as Istio's EnvoyFilters configure it. */
function proxyWith(vmConfig: object, options: TestProxyOptions = {}): TestProxy {
  const configuration = { "@type": "type.googleapis.com/google.protobuf.StringValue", value: '{"a":1}' };
  const config = { name: "istio.own", rootId: "root", vmConfig, configuration };
  const filter = {
    name: "envoy.wasm.own",
    typedConfig: { "@type": "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm", config },
  };
  const routeConfig = routesTo([{ match: { prefix: "/" }, route: { cluster: "c" } }]);
  const test = new TestProxy({ routeConfig, httpFilters: [filter, ROUTER] }, options);
  test.clusters.add("c");
  return test;
}

const nullVm = (name: string) => ({ runtime: "envoy.wasm.runtime.null", code: { local: { inlineString: name } } });

describe("plugins that the proxy brings along", () => {
  const folders: string[] = [];
  afterEach(async () => {
    for (const folder of folders.splice(0)) await rm(folder, { recursive: true });
  });

  it("by the names of the null VM are the extensions of its table, with the plugin's configuration", () => {
    const configurations: string[] = [];
    let requests = 0;
    const own = extension(
      { onRequestHeaders: () => ++requests },
      {
        configure: (_host, text) => {
          configurations.push(text);
          return true;
        },
      },
    );
    const test = proxyWith(nullVm("envoy.wasm.own"), { extensions: { "envoy.wasm.own": own } });
    test.request();
    expect(configurations).toEqual(['{"a":1}']);
    expect(requests).toBe(1);
  });

  it("by a name that the null VM does not have are refused", () => {
    expect(() => proxyWith(nullVm("envoy.wasm.other"))).toThrow(
      /config\.vm_config\.code: "envoy\.wasm\.other" is not built into this proxy/,
    );
    const table = { extensions: { "istio.own": extension({}) } };
    expect(() => proxyWith(nullVm("istio.own"), table)).toThrow(/is not built into this proxy/);
  });

  it("are not meant by the name of a filter, which means nothing", async () => {
    let native = 0;
    const own = extension({ onRequestHeaders: () => ++native });
    const vmConfig = { code: { local: { inlineBytes: Buffer.from(assemble(moduleText(""))).toString("base64") } } };
    const test = proxyWith(vmConfig, { extensions: { "envoy.wasm.own": own } });
    await test.context.extensions.settled();
    test.request();
    expect(native).toBe(0);
    test.factory.close?.();
  });

  it("as modules are found under the paths that Istio's images have them at", async () => {
    const folder = await mkdtemp(join(tmpdir(), "modules-"));
    folders.push(folder);
    const file = join(folder, "own.wasm");
    await writeFile(
      file,
      assemble(moduleText('(func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32) (unreachable))')),
    );
    const path = "/etc/istio/extensions/own-filter.compiled.wasm";
    const vmConfig = { code: { local: { filename: path } } };
    const test = proxyWith(vmConfig, { ownModules: { [path]: file } });
    await test.context.extensions.settled();
    test.request();
    expect(test.hostLog.join()).toContain("proxy_on_request_headers failed: unreachable");
    test.factory.close?.();
  });
});
