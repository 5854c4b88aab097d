import { create } from "@bufbuild/protobuf";
import { decodeJson, formatFault } from "@mixerless/wire";
import { TypedExtensionConfigSchema } from "@mixerless/wire/envoy/config/core/v3/extension";
import { afterEach, describe, expect, it } from "vitest";
import { decodeManager, OUTCOME_LOG, ROUTER, routesTo, TestProxy } from "../testing/test-proxy.ts";
import { createHttpConnectionManagerFactory } from "./factory.ts";

const RBAC = "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC";
const FAULT = "type.googleapis.com/envoy.extensions.filters.http.fault.v3.HTTPFault";
const DENY = { "@type": RBAC, rules: {} };
const ALLOW = { "@type": RBAC };
const teapot = { "@type": FAULT, abort: { httpStatus: 418, percentage: { numerator: 100 } } };

const managerOf = (discovery: object) => ({
  routeConfig: routesTo([{ match: { prefix: "/" }, route: { cluster: "c" } }]),
  httpFilters: [
    { name: "late", configDiscovery: { configSource: { ads: {} }, typeUrls: [RBAC, FAULT], ...discovery } },
    ROUTER,
  ],
  accessLog: [OUTCOME_LOG],
});

const proxies: TestProxy[] = [];
afterEach(() => {
  for (const proxy of proxies.splice(0)) proxy.factory.close?.();
});

function proxyWith(discovery: object = {}): TestProxy {
  const proxy = new TestProxy(managerOf(discovery));
  proxy.clusters.add("c");
  proxies.push(proxy);
  return proxy;
}

/** What the control plane delivers; gives the reasons for a refusal. */
function deliver(proxy: TestProxy, typedConfig: object, name = "late"): string[] {
  const decoded = decodeJson(TypedExtensionConfigSchema, { name, typedConfig });
  if (decoded.faults !== undefined) throw new Error(decoded.faults.map(formatFault).join("\n"));
  return proxy.filterConfigs.set(decoded.message).map(({ path, message }) => `${path}: ${message}`);
}

function statusOf(proxy: TestProxy): string {
  const exchange = proxy.request();
  return exchange.head === null ? "forwarded" : (exchange.head[":status"] ?? "");
}

function faultsOf(discovery: object): string[] {
  const made = createHttpConnectionManagerFactory(decodeManager(managerOf(discovery)), proxyWith().context);
  return made.ok ? [] : made.faults.map(({ path }) => path);
}

describe("a filter whose configuration is delivered apart (config_discovery)", () => {
  it("lets its listener wait for the first configuration and serves with it", () => {
    const proxy = proxyWith({ configSource: { ads: {}, initialFetchTimeout: "0s" } });
    proxy.clock.advance(3_600_000);
    expect(proxy.factory.warming).toBe(true);
    expect([...proxy.filterConfigs.names]).toEqual(["late"]);
    expect(deliver(proxy, teapot)).toEqual([]);
    expect(proxy.factory.warming).toBe(false);
    expect(statusOf(proxy)).toBe("418");
  });

  it("serves with default_config at once where warming is not wanted", () => {
    const proxy = proxyWith({ defaultConfig: DENY, applyDefaultConfigWithoutWarming: true });
    expect(proxy.factory.warming).toBe(false);
    expect(statusOf(proxy)).toBe("403");
    deliver(proxy, ALLOW);
    expect(statusOf(proxy)).toBe("forwarded");
  });

  it("serves with default_config when initial_fetch_timeout is over", () => {
    const proxy = proxyWith({ configSource: { ads: {}, initialFetchTimeout: "2s" }, defaultConfig: DENY });
    proxy.clock.advance(1999);
    expect(proxy.factory.warming).toBe(true);
    proxy.clock.advance(1);
    expect(proxy.factory.warming).toBe(false);
    expect(statusOf(proxy)).toBe("403");
  });

  it("answers 500 with the flag NFCF where nothing came and there is no default", () => {
    const proxy = proxyWith();
    proxy.clock.advance(15_000);
    expect(proxy.factory.warming).toBe(false);
    expect(statusOf(proxy)).toBe("500");
    expect(proxy.log()).toEqual(["500 NFCF filter_config_not_found"]);
  });

  it("changes under open connections, for the streams that begin from then on", () => {
    const proxy = proxyWith();
    deliver(proxy, DENY);
    const { codec } = proxy.connect();
    const fields = { ":method": "GET", ":path": "/", ":authority": "a", ":scheme": "http" };
    expect(codec.request(fields).head).toMatchObject({ ":status": "403" });
    deliver(proxy, teapot);
    expect(codec.request(fields).head).toMatchObject({ ":status": "418" });
  });

  it("refuses what type_urls does not list, by name, and goes on with what it has", () => {
    const proxy = proxyWith();
    deliver(proxy, teapot);
    const cors = { "@type": "type.googleapis.com/envoy.extensions.filters.http.cors.v3.Cors" };
    expect(deliver(proxy, cors)).toEqual([
      expect.stringContaining(
        "typedConfig: envoy.extensions.filters.http.cors.v3.Cors is not among the filter's type_urls",
      ),
    ]);
    expect(statusOf(proxy)).toBe("418");
  });

  it("that is refused by one place is taken by none", () => {
    const proxy = proxyWith();
    deliver(proxy, DENY);
    const other = createHttpConnectionManagerFactory(decodeManager(managerOf({ typeUrls: [RBAC] })), proxy.context);
    expect(deliver(proxy, teapot)).toHaveLength(1);
    expect(statusOf(proxy)).toBe("403");
    if (other.ok) other.value.close?.();
  });

  it("goes back to its default when the configuration is taken back", () => {
    const proxy = proxyWith({ defaultConfig: ALLOW });
    deliver(proxy, teapot);
    proxy.filterConfigs.remove("late");
    expect(statusOf(proxy)).toBe("forwarded");
  });

  it("finds a configuration that is there already, and asks for it until it closes", () => {
    const proxy = proxyWith();
    deliver(proxy, teapot);
    const second = createHttpConnectionManagerFactory(decodeManager(managerOf({})), proxy.context);
    if (!second.ok) throw new Error("refused");
    expect(second.value.warming).toBe(false);
    proxy.factory.close?.();
    expect(proxy.filterConfigs.prune()).toEqual([]);
    second.value.close?.();
    expect([...proxy.filterConfigs.names]).toEqual([]);
    expect(proxy.filterConfigs.prune()).toEqual(["late"]);
  });

  it.each([
    [{ configSource: { pathConfigSource: { path: "/x" } } }, "httpFilters[0].configDiscovery.configSource"],
    [{ typeUrls: [] }, "httpFilters[0].configDiscovery.typeUrls"],
    [{ applyDefaultConfigWithoutWarming: true }, "httpFilters[0].configDiscovery.applyDefaultConfigWithoutWarming"],
    [{ defaultConfig: ROUTER.typedConfig }, "httpFilters[0].configDiscovery.defaultConfig"],
  ])("%j is refused at %s", (discovery, path) => {
    expect(faultsOf(discovery)).toEqual([path]);
  });

  it("a resource without a configuration is refused", () => {
    const proxy = proxyWith();
    const empty = create(TypedExtensionConfigSchema, { name: "late" });
    expect(proxy.filterConfigs.set(empty)).toEqual([{ path: "typedConfig", message: "is missing" }]);
  });
});
