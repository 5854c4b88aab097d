import { describe, expect, it } from "vitest";
import { parseProxyNode } from "../model/parse-proxy-node.ts";
import type { ProxyNode } from "../model/proxy-node.ts";
import { isScrape, scrapeTargets } from "./scrape-targets.ts";

function proxy(name: string, metadata: Record<string, unknown>, userAgentName = "mixerless", ip = "127.0.10.2") {
  const id = `sidecar~${ip}~${name}.shop~shop.svc.cluster.local`;
  const parsed = parseProxyNode({ id, cluster: "", metadata, userAgentName } as never);
  if (typeof parsed === "string") throw new Error(parsed);
  return parsed as ProxyNode;
}

const CART = {
  LABELS: { app: "cart" },
  NAMESPACE: "shop",
  PROXY_CONFIG: { statusPort: 16_020 },
  ENVOY_PROMETHEUS_PORT: "16090",
  ANNOTATIONS: { "prometheus.io/scrape": "true", "prometheus.io/port": "9102", "prometheus.io/path": "/series" },
};
const LABELS = { namespace: "shop", pod: "cart-v1", app: "cart" };

describe("scrape targets", () => {
  it.each([
    ["merged", "127.0.10.2:16020", "/stats/prometheus"],
    ["proxy", "127.0.10.2:16090", "/stats/prometheus"],
    ["application", "127.0.10.2:9102", "/series"],
  ] as const)("are the ports that the workload names for %s", (scrape, target, path) => {
    expect(scrapeTargets([proxy("cart-v1", CART)], scrape)).toEqual([
      { targets: [target], labels: { __metrics_path__: path, ...LABELS } },
    ]);
  });

  it("fall back to Istio's ports", () => {
    const plain = proxy("web-v1", { NAMESPACE: "shop" });
    expect(scrapeTargets([plain], "merged")[0]?.targets).toEqual(["127.0.10.2:15020"]);
    expect(scrapeTargets([plain], "proxy")[0]?.targets).toEqual(["127.0.10.2:15090"]);
    expect(scrapeTargets([plain], "merged")[0]?.labels).not.toHaveProperty("app");
  });

  it.each([
    {},
    { "prometheus.io/scrape": "false", "prometheus.io/port": "9102" },
    { "prometheus.io/scrape": "true" },
    { "prometheus.io/scrape": "true", "prometheus.io/port": "70000" },
    { "prometheus.io/scrape": "true", "prometheus.io/port": "x" },
  ])("leave an application out that does not offer series: %j", (annotations) => {
    expect(scrapeTargets([proxy("cart-v1", { ...CART, ANNOTATIONS: annotations })], "application")).toEqual([]);
  });

  it("are sorted by workload, and put IPv6 addresses in brackets", () => {
    const groups = scrapeTargets([proxy("b", CART), proxy("a", CART, "envoy", "fd00::7")], "proxy");
    expect(groups.map(({ targets }) => targets)).toEqual([["[fd00::7]:16090"], ["127.0.10.2:16090"]]);
  });

  it("hold no gRPC client, which has no series of Istio's", () => {
    expect(scrapeTargets([proxy("cart-v1", CART, "gRPC C-core")], "merged")).toEqual([]);
  });

  it("know three kinds", () => {
    expect(["merged", "proxy", "application", "all", ""].map(isScrape)).toEqual([true, true, true, false, false]);
  });
});
