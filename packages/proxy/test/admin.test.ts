import { once } from "node:events";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { VirtualClock } from "@mixerless/clock";
import { parseExposition } from "@mixerless/metrics";
import { formatFault } from "@mixerless/wire";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createProxy, type Proxy as DataPlane, decodeBootstrap } from "../src/index.ts";

const TYPES = "type.googleapis.com/envoy.extensions.filters";
const ADDRESS = { socketAddress: { address: "127.0.0.1", portValue: 0 } };

const BOOTSTRAP = {
  node: { id: "n", cluster: "c" },
  admin: { address: ADDRESS },
  layeredRuntime: { layers: [{ name: "admin", adminLayer: {} }] },
  staticResources: {
    listeners: [
      {
        name: "web",
        address: ADDRESS,
        filterChains: [
          {
            filters: [
              {
                name: "http",
                typedConfig: {
                  "@type": `${TYPES}.network.http_connection_manager.v3.HttpConnectionManager`,
                  statPrefix: "web",
                  routeConfig: {
                    name: "web_routes",
                    virtualHosts: [
                      {
                        name: "all",
                        domains: ["*"],
                        routes: [
                          { match: { path: "/ok" }, directResponse: { status: 200 } },
                          { match: { prefix: "/" }, route: { cluster: "alpha" } },
                        ],
                      },
                    ],
                  },
                  httpFilters: [{ name: "router", typedConfig: { "@type": `${TYPES}.http.router.v3.Router` } }],
                },
              },
            ],
          },
        ],
      },
    ],
    clusters: ["alpha", "beta"].map((name) => ({
      name,
      connectTimeout: "1s",
      loadAssignment: {
        clusterName: name,
        endpoints: [
          { lbEndpoints: [{ endpoint: { address: { socketAddress: { address: "127.0.0.1", portValue: 1 } } } }] },
        ],
      },
    })),
  },
};

let proxy: DataPlane;
const said: string[] = [];

beforeAll(async () => {
  const decoded = decodeBootstrap(BOOTSTRAP);
  if (decoded.faults !== undefined) throw new Error(decoded.faults.map(formatFault).join("\n"));
  proxy = createProxy({
    bootstrap: decoded.message,
    clock: new VirtualClock(),
    extensions: {},
    log: (message) => said.push(message),
    random: () => 0.5,
    uuid: () => "id",
    onQuit: () => {},
    version: "1.2.3",
  });
  await proxy.start();
  for (let i = 0; i < 3; i++) await fetch(`http://${proxy.listenerAddress("web")}/ok`);
  await fetch(`http://${proxy.listenerAddress("web")}/unreachable`);
});
afterAll(() => proxy.close());

async function ask(path: string, method = "GET", headers: Record<string, string> = {}) {
  const { ip, port } = proxy.adminAddress ?? { ip: "", port: 0 };
  const call = httpRequest({ host: ip, port, path, method, headers, agent: false });
  call.end();
  const [response] = (await once(call, "response")) as [IncomingMessage];
  let body = "";
  for await (const chunk of response.setEncoding("utf8")) body += chunk;
  return { status: response.statusCode, type: response.headers["content-type"], body };
}

const json = async (path: string) => JSON.parse((await ask(path)).body);

describe("/stats", () => {
  it("shows the names that Envoy's stats have", async () => {
    const { body } = await ask("/stats");
    expect(body).toContain("http.web.downstream_rq_2xx: 3\n");
    expect(body).toContain("http.web.downstream_rq_5xx: 1\n");
    expect(body).toContain("cluster.alpha.upstream_cx_connect_fail: 1\n");
    expect(body).toContain("cluster.alpha.membership_total: 1\n");
    expect(body).toMatch(/^listener\.127\.0\.0\.1_\d+\.downstream_cx_total: \d+$/m);
  });

  it("takes a pattern that may match anywhere, and refuses a bad one", async () => {
    const { body } = await ask(`/stats?filter=${encodeURIComponent("^cluster\\.(beta|alpha)\\.upstream_rq_total$")}`);
    expect(body).toBe("cluster.alpha.upstream_rq_total: 0\ncluster.beta.upstream_rq_total: 0\n");
    expect((await ask("/stats?filter=%28")).status).toBe(400);
    // A pattern that would keep a backtracking engine busy for ever.
    expect((await ask(`/stats?filter=${encodeURIComponent("(a+)+$")}`)).status).toBe(200);
  });

  it("leaves out what was never used, when asked", async () => {
    expect((await ask("/stats?usedonly&filter=cluster.beta.upstream")).body).toBe("");
  });

  it("speaks JSON and Prometheus", async () => {
    const { stats } = await json("/stats?format=json");
    expect(stats).toContainEqual({ name: "http.web.downstream_rq_2xx", value: 3 });
    const { body } = await ask("/stats?format=prometheus&filter=downstream_rq_xx");
    expect(body).toContain('envoy_http_downstream_rq_xx{envoy_response_code_class="2",');
    expect(body).not.toContain("downstream_rq_total");
    expect(parseExposition(body)).not.toHaveProperty("faults");
    expect((await ask("/stats/prometheus")).body).toContain("envoy_http_downstream_rq_total");
    expect((await ask("/stats?format=xml")).status).toBe(400);
  });
});

describe("/config_dump", () => {
  const types = (dump: { configs: { "@type": string }[] }) => dump.configs.map((one) => one["@type"].split(".").pop());

  it("has a section for each kind, endpoints when asked", async () => {
    expect(types(await json("/config_dump"))).toEqual([
      ...["BootstrapConfigDump", "ClustersConfigDump", "EcdsConfigDump", "ListenersConfigDump", "RoutesConfigDump"],
    ]);
    expect(types(await json("/config_dump?include_eds"))).toContain("EndpointsConfigDump");
  });

  it("gives the entries of one list, by name and field", async () => {
    const all = await json("/config_dump?resource=static_clusters");
    expect(types(all)).toEqual(["StaticCluster", "StaticCluster"]);
    expect(all.configs[0]["@type"]).toBe("type.googleapis.com/envoy.admin.v3.ClustersConfigDump.StaticCluster");
    const one = await json("/config_dump?resource=static_clusters&name_regex=b.*&mask=cluster.name");
    expect(one.configs).toEqual([
      { "@type": all.configs[0]["@type"], cluster: { "@type": expect.any(String), name: "beta" } },
    ]);
    const routes = await json("/config_dump?resource=static_route_configs");
    expect(routes.configs[0].route_config.name).toBe("web_routes");
    const masked = await json("/config_dump?mask=bootstrap.node.id");
    expect(masked.configs[0].bootstrap).toEqual({ node: { id: "n" } });
  });

  it("says what it does not have", async () => {
    expect((await ask("/config_dump?resource=nothing")).status).toBe(404);
    expect((await ask("/config_dump?resource=bootstrap")).status).toBe(400);
    expect((await ask("/config_dump?name_regex=%28")).status).toBe(400);
  });
});

describe("the other pages", () => {
  it("show clusters, listeners, the server and the process in Envoy's shapes", async () => {
    expect((await ask("/clusters")).body).toContain("alpha::127.0.0.1:1::cx_connect_fail::1\n");
    expect((await ask("/clusters")).body).toContain("alpha::added_via_api::false\n");
    expect((await ask("/clusters")).body).toContain("alpha::127.0.0.1:1::health_flags::healthy\n");
    expect((await json("/clusters?format=json")).cluster_statuses[0]).toMatchObject({
      name: "alpha",
      added_via_api: false,
    });
    expect((await ask("/listeners")).body).toMatch(/^web::127\.0\.0\.1:\d+\n$/);
    expect((await json("/listeners?format=json")).listener_statuses[0]).toMatchObject({ name: "web" });
    expect(await json("/server_info")).toMatchObject({ version: "1.2.3", state: "LIVE", node: { id: "n" } });
    expect(await ask("/ready")).toMatchObject({ status: 200, body: "LIVE\n" });
    expect(await json("/memory")).toMatchObject({ allocated: expect.stringMatching(/^\d+$/) });
    expect(await json("/certs")).toEqual({ certificates: [] });
    expect(await json("/ignored_fields")).toEqual({ ignored_fields: [] });
    expect(await json("/runtime")).toEqual({ layers: ["admin"], entries: {} });
    expect((await ask("/hot_restart_version")).body).toBe("disabled\n");
    expect((await ask("/help")).body).toContain("/logging");
  });

  it("refuse the pages of other sites", async () => {
    expect((await ask("/config_dump", "GET", { host: "evil.example" })).status).toBe(403);
    expect((await ask("/quitquitquit", "POST", { origin: "http://evil.example" })).status).toBe(403);
    expect((await ask("/reset_counters")).status).toBe(405);
  });
});

describe("changes by the admin interface", () => {
  it("set log levels while it runs", async () => {
    expect((await ask("/logging", "POST")).body).toBe("active loggers:\n  config: info\n  main: info\n  wasm: info\n");
    expect((await ask("/logging?wasm=debug", "POST")).body).toContain("  wasm: debug\n");
    expect((await ask("/logging?paths=config:warning,main:error", "POST")).body).toContain(
      "  config: warning\n  main: error\n",
    );
    expect((await ask("/logging?level=off", "POST")).body).toContain("  config: off\n");
    expect((await ask("/logging?level=loud", "POST")).status).toBe(400);
    expect((await ask("/logging?nobody=info", "POST")).status).toBe(400);
    expect((await ask("/logging")).status).toBe(405);
  });

  it("set counters back to 0, gauges not", async () => {
    expect((await ask("/reset_counters", "POST")).body).toBe("OK\n");
    const { body } = await ask("/stats");
    expect(body).toContain("http.web.downstream_rq_2xx: 0\n");
    expect(body).toContain("cluster.alpha.upstream_cx_connect_fail: 0\n");
    expect(body).toContain("cluster.alpha.membership_total: 1\n");
    await fetch(`http://${proxy.listenerAddress("web")}/ok`);
    expect((await ask("/stats")).body).toContain("http.web.downstream_rq_2xx: 1\n");
  });

  it("reopen logs", async () => {
    expect((await ask("/reopen_logs", "POST")).body).toBe("OK\n");
  });
});
