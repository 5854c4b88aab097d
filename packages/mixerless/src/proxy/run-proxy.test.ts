import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { VirtualClock } from "@mixerless/clock";
import { afterAll, describe, expect, it } from "vitest";
import { prepareProxy } from "./run-proxy.ts";

const directory = mkdtempSync(join(tmpdir(), "mixerless-bootstrap-"));
afterAll(() => rmSync(directory, { recursive: true }));

/** What is said about a bootstrap that cannot be used. */
function refused(text: string): string {
  const file = join(directory, "envoy.yaml");
  writeFileSync(file, text);
  try {
    void prepareProxy({ file, clock: new VirtualClock(), log: () => {}, onQuit: () => {} }).close();
  } catch (error) {
    return (error as Error).message.replaceAll(`${directory}/`, "");
  }
  return "taken";
}

const ADDRESS = "address: { socket_address: { address: 127.0.0.1, port_value: 0 } }";
const TYPES = "type.googleapis.com/envoy.extensions.filters";

function chain(config: string): string {
  return `filter_chains: [{ filters: [{ name: x, typed_config: { "@type": ${TYPES}.${config} } }] }]`;
}

const TCP = chain("network.tcp_proxy.v3.TcpProxy, stat_prefix: a, cluster: c");

describe("a bootstrap is refused, before anything listens,", () => {
  it("for what the proxy does not do, each field with its line", () => {
    const said = refused(
      [
        "stats_config: { histogram_bucket_settings: [{ match: { prefix: a }, buckets: [1] }] }",
        "layered_runtime: { layers: [{ name: a, static_layer: { x: 1 } }] }",
        "static_resources:",
        "  listeners:",
        "    - name: a",
        `      ${ADDRESS}`,
        "      filter_chains:",
        "        - filters:",
        "            - name: tcp",
        "              typed_config:",
        `                "@type": ${TYPES}.network.tcp_proxy.v3.TcpProxy`,
        "                stat_prefix: a",
        "                cluster: nowhere",
        "      socket_options: [{ int_value: 1 }]",
      ].join("\n"),
    );
    const at = "staticResources.listeners[0]";
    expect(said).toContain(
      "envoy.yaml:1: statsConfig.histogramBucketSettings: is not supported by this data plane; remove it",
    );
    expect(said).toContain("envoy.yaml:2: layeredRuntime.layers[0].staticLayer: is not supported");
    expect(said).toContain(`envoy.yaml:14: ${at}.socketOptions: is not supported`);
    expect(said).toContain(`envoy.yaml:13: ${at}.filterChains[0].filters[0].typedConfig.cluster: there is no cluster`);
  });

  it("for what a compiler finds in one listener, while another is right", () => {
    const said = refused(
      [
        "static_resources:",
        "  clusters: [{ name: c, load_assignment: { cluster_name: c } }]",
        "  listeners:",
        `    - { name: right, ${ADDRESS}, ${TCP} }`,
        `    - { name: wrong, ${ADDRESS}, listener_filters: [{ name: spy }], ${TCP} }`,
      ].join("\n"),
    );
    expect(said).toContain('envoy.yaml:5: staticResources.listeners[1].listenerFilters[0]: listener filter "spy"');
    expect(said).not.toContain("listeners[0]");
  });

  it.each([
    ["a key that is no field", "static_resources: { clusterz: [] }", /:1: staticResources.clusterz: .*did you mean/],
    ["a key that stands twice", "admin: {}\nadmin: {}", /:2: not valid YAML or JSON: .*unique/],
    ["text that is no YAML", "admin: [", /:1: not valid YAML or JSON/],
    ["a list", "- a", /:1: a bootstrap is an object/],
    [
      "text where a number belongs",
      "static_resources:\n  clusters: [{ name: 7 }]",
      /:2: staticResources.clusters\[0\].name/,
    ],
    ["two clusters of one name", "static_resources: { clusters: [{ name: a }, { name: a }] }", /"a" is the name of/],
    ["an admin on a pipe", "admin: { address: { pipe: { path: /x } } }", /:1: admin.address.pipe: is not supported/],
    [
      "configuration from a folder",
      "dynamic_resources:\n  cds_config: { path: /x }",
      /:2: dynamicResources.cdsConfig.path/,
    ],
    ["secrets", "static_resources: { secrets: [{ name: a }] }", /staticResources.secrets: is not supported/],
    [
      "a listener filter chain without filters",
      `static_resources: { listeners: [{ name: a, ${ADDRESS} }] }`,
      /filterChains/,
    ],
  ])("for %s", (_what, text, expected) => {
    expect(refused(text)).toMatch(expected);
  });

  it("unless routes say that their clusters may come later", () => {
    const manager = (routes: string) =>
      `static_resources: { listeners: [{ name: a, ${ADDRESS}, ${chain(
        `network.http_connection_manager.v3.HttpConnectionManager, stat_prefix: a, http_filters: [{ name: r, typed_config: { "@type": ${TYPES}.http.router.v3.Router } }], route_config: { ${routes} virtual_hosts: [{ name: v, domains: ["*"], routes: [{ match: { prefix: / }, route: { cluster: later } }] }] }`,
      )} }] }`;
    expect(refused(manager(""))).toContain('there is no cluster "later"; none is defined');
    expect(refused(manager("validate_clusters: false,"))).toBe("taken");
  });
});

describe("a bootstrap", () => {
  it("may send the log of the admin interface nowhere, and nowhere else", () => {
    const file = "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog";
    const log = (path: string) => `access_log: [{ name: f, typed_config: { "@type": ${file}, path: ${path} } }]`;
    expect(refused("admin: { access_log_path: /dev/null }")).toBe("taken");
    expect(refused(`admin: { ${log("/dev/null")} }`)).toBe("taken");
    expect(refused("admin: { access_log_path: /tmp/admin.log }")).toContain("admin.accessLogPath: the admin interface");
    expect(refused(`admin: { ${log("/tmp/admin.log")} }`)).toContain("admin.accessLog[0]: the admin interface");
  });

  it("may be empty, use anchors and merge keys, and spell fields either way", () => {
    expect(refused("{}")).toBe("taken");
    expect(
      refused(
        [
          "staticResources:",
          "  clusters:",
          "    - &first { name: a, connect_timeout: 1s, loadAssignment: { cluster_name: a } }",
          "    - { <<: *first, name: b }",
        ].join("\n"),
      ),
    ).toBe("taken");
  });
});
