import type { FakeHeaders, FakeHost, FakeSeries } from "@mixerless/sdk/testing";
import { describe, expect, it } from "vitest";
import { CLIENT, createMeshHost, type MeshHostOptions, OUTBOUND, peerBytes, SERVER_PEER } from "../testing/mesh.ts";
import { LABELS } from "./labels.ts";

const DONE = {
  request: { duration: 1e6, total_size: 1, protocol: "HTTP/1.1" },
  response: { code: 200, flags: 0, total_size: 2 },
};

function run(stats: unknown, options: Partial<MeshHostOptions> = {}): FakeHost {
  const host = createMeshHost({ stats, node: CLIENT, direction: OUTBOUND, ...options });
  const headers: FakeHeaders = [
    [":path", "/"],
    [":authority", "a"],
  ];
  const stream = host.open({ requestHeaders: headers, attributes: DONE });
  stream.stream.setState(
    { name: "upstream_peer", slot: 0 },
    peerBytes({ ...SERVER_PEER, LABELS: { ...(SERVER_PEER.LABELS as object), role: "backend" }, MESH_ID: "m" }),
  );
  stream.request();
  stream.end();
  return host;
}

function series(host: FakeHost, name: string): FakeSeries {
  const family = host.metrics.family(name);
  expect(family.length).toBe(1);
  return family[0] as FakeSeries;
}

function labelsOf(host: FakeHost, name = "istio_requests_total"): Record<string, string> {
  const found = series(host, name);
  return Object.fromEntries(found.labels.map((label, i) => [label, found.values[i] as string]));
}

/** The value that an expression gives to a label. */
const dimension = (text: string, options: Partial<MeshHostOptions> = {}) =>
  labelsOf(run({ metrics: [{ dimensions: { extra: text } }] }, options))["extra"];

describe("tags_to_remove", () => {
  it("removes a label of one metric and leaves the others", () => {
    const host = run({ metrics: [{ name: "requests_total", tags_to_remove: ["grpc_response_status"] }] });
    expect(series(host, "istio_requests_total").labels).toEqual(LABELS.filter((l) => l !== "grpc_response_status"));
    expect(series(host, "istio_request_bytes").labels).toEqual(LABELS);
  });

  it("removes the first and the last label", () => {
    const host = run({ metrics: [{ tags_to_remove: ["reporter", "connection_security_policy"] }] });
    expect(series(host, "istio_requests_total").labels).toEqual(LABELS.slice(1, -1));
  });

  it("removes a label of all metrics", () => {
    const host = run({ metrics: [{ tagsToRemove: ["response_flags"] }] });
    for (const found of host.metrics.all()) expect(found.labels).not.toContain("response_flags");
  });

  it("brings a label back to its place when it is overridden later", () => {
    const host = run({
      metrics: [
        { tags_to_remove: ["response_flags", "source_principal"] },
        { dimensions: { source_principal: "'override'" } },
      ],
    });
    expect(series(host, "istio_requests_total").labels).toEqual(LABELS.filter((l) => l !== "response_flags"));
    expect(labelsOf(host)["source_principal"]).toBe("override");
  });

  it("overrides after removing within one entry", () => {
    const host = run({ metrics: [{ tags_to_remove: ["reporter"], dimensions: { reporter: "'x'" } }] });
    expect(labelsOf(host)["reporter"]).toBe("x");
  });

  it("ignores a label that is not standard", () => {
    const host = run({ metrics: [{ dimensions: { extra: "'x'" } }, { tags_to_remove: ["extra"] }] });
    expect(labelsOf(host)["extra"]).toBe("x");
    expect(host.logs).toEqual(['3: stats: "extra" is not a standard label and cannot be removed']);
  });
});

describe("drop", () => {
  it("drops one standard metric; the rest of the entry means nothing", () => {
    const host = run({
      metrics: [
        { name: "request_duration_milliseconds", drop: true },
        { name: "request_bytes", drop: "true", dimensions: { x: "'y'" } },
      ],
    });
    const names = host.metrics.all().map((found) => found.name);
    expect(names.sort()).toEqual(["istio_build", "istio_requests_total", "istio_response_bytes"]);
  });

  it("does not drop everything for want of a name, nor custom metrics", () => {
    const host = run({
      definitions: [{ name: "custom", value: "1" }],
      metrics: [{ drop: true }, { name: "custom", drop: true }],
    });
    expect(host.metrics.family("istio_requests_total").length).toBe(1);
    expect(host.metrics.family("istio_custom").length).toBe(1);
    expect(host.logs.length).toBe(2);
  });
});

describe("dimensions", () => {
  it("replace standard labels in place and append new ones sorted, entries in order", () => {
    const host = run({
      metrics: [
        { dimensions: { b: "'2'", a: "'1'", reporter: "'r'" } },
        { name: "requests_total", dimensions: { A: "'0'" } },
      ],
    });
    expect(series(host, "istio_requests_total").labels).toEqual([...LABELS, "a", "b", "A"]);
    expect(series(host, "istio_request_bytes").labels).toEqual([...LABELS, "a", "b"]);
    expect(labelsOf(host)).toMatchObject({ reporter: "r", a: "1", b: "2", A: "0" });
  });

  it("let a later entry win, also for new labels, which a scraper accepts once only", () => {
    const host = run({
      metrics: [{ dimensions: { reporter: "'1'", x: "'1'" } }, { dimensions: { reporter: "'2'", x: "'2'" } }],
    });
    expect(series(host, "istio_requests_total").labels).toEqual([...LABELS, "x"]);
    expect(labelsOf(host)).toMatchObject({ reporter: "2", x: "2" });
  });

  it("make a standard label disappear and a new one not appear if they do not parse", () => {
    const host = run(
      { metrics: [{ dimensions: { destination_app: "a +", extra: "a +" } }] },
      { expressions: { "a +": null } },
    );
    expect(series(host, "istio_requests_total").labels).toEqual(LABELS.filter((l) => l !== "destination_app"));
    expect(host.logs).toEqual([
      '3: stats: "a +" for label "destination_app" does not parse',
      '3: stats: "a +" for label "extra" does not parse',
    ]);
  });

  it("are unknown where they do not evaluate", () => {
    const host = run({ metrics: [{ dimensions: { destination_workload: "no.such.thing", extra: "f(x)" } }] });
    expect(labelsOf(host)).toMatchObject({ destination_workload: "unknown", extra: "unknown" });
  });

  it("on a label that the metric does not carry are ignored", () => {
    const host = run({ metrics: [{ name: "tcp_sent_bytes_total", dimensions: { response_code: "'1'" } }] });
    const stream = host.open();
    stream.connect();
    stream.end();
    expect(series(host, "istio_tcp_sent_bytes_total").labels).not.toContain("response_code");
  });

  it("for a metric that does not exist are ignored", () => {
    const host = run({ metrics: [{ name: "nonsense", dimensions: { x: "'y'" } }] });
    expect(host.logs).toEqual(['3: stats: no metric "nonsense"; its overrides are ignored']);
    expect(series(host, "istio_requests_total").labels).toEqual(LABELS);
  });

  it.each([
    ["'text'", "text"],
    ['"text"', "text"],
    ["''", ""],
    ["12", "12"],
    ["request.protocol", "HTTP/1.1"],
    ["response.code", "200"],
    ["xds.node.metadata['WORKLOAD_NAME']", "productpage-v1"],
    ["filter_state.upstream_peer.workload", "ratings-v1"],
    ["filter_state['upstream_peer'].cluster", "server-cluster"],
    ["filter_state.upstream_peer.service", "ratings"],
    ["filter_state.upstream_peer.revision", "version-1"],
    ["filter_state.upstream_peer.namespace", "default"],
    ["filter_state.upstream_peer.app", "ratings"],
    ["filter_state.upstream_peer.version", "v1"],
    ["filter_state.upstream_peer.type", "deployment"],
    ["filter_state.upstream_peer.name", "ratings-v1-84975bc778-pxz2w"],
    ["filter_state.upstream_peer.labels['role']", "backend"],
    ["filter_state.upstream_peer.labels.role", "backend"],
    ["filter_state.upstream_peer.labels['absent']", "unknown"],
    ["filter_state.upstream_peer.identity", "unknown"],
    ["filter_state.upstream_peer.nonsense", "unknown"],
    ["upstream_peer.workload_name", "ratings-v1"],
    ["upstream_peer.cluster_id", "server-cluster"],
    ["upstream_peer.mesh_id", "m"],
    ["upstream_peer.labels['role'].value", "backend"],
    ["upstream_peer.labels['role'].other", "unknown"],
    ["upstream_peer.labels", "unknown"],
    ["upstream_peer.workload.more", "unknown"],
    ["007", "unknown"],
    ["0", "0"],
    ["1234567890123456", "unknown"],
    ["downstream_peer.workload_name", "unknown"],
    ["filter_state.downstream_peer.workload", "unknown"],
  ])("%s is %j", (text, value) => {
    expect(dimension(text)).toBe(value);
  });

  it("are asked of the host for everything else, per stream", () => {
    const expressions = { "response.code + 1": (stream: unknown) => (stream === null ? null : "201") };
    expect(dimension("response.code + 1", { expressions })).toBe("201");
  });

  it("make different series for different values", () => {
    let n = 0;
    const expressions = { "f()": () => String(n++ % 2), "g()": () => "same" };
    const host = createMeshHost({ stats: { metrics: [{ dimensions: { a: "g()", b: "f()" } }] }, expressions });
    for (let i = 0; i < 4; i++) {
      const stream = host.open({ attributes: DONE });
      stream.request();
      stream.end();
    }
    expect(host.metrics.family("istio_requests_total").map((found) => [found.values.at(-1), found.value])).toEqual([
      ["0", 2],
      ["1", 2],
    ]);
  });
});

describe("definitions", () => {
  it("count streams with only the labels that were asked for", () => {
    const host = run({
      definitions: [{ name: "custom", value: "1", type: "COUNTER" }],
      metrics: [
        { name: "custom", dimensions: { reporter: "'proxy'" } },
        { dimensions: { source_principal: "'malicious'" } },
      ],
    });
    expect(host.metrics.lines()).toContain('istio_custom{reporter="proxy",source_principal="malicious"} 1');
  });

  it("have no labels by default and take the type that they are given", () => {
    const host = run(
      {
        definitions: [
          { name: "c", value: "size()" },
          { name: "g", value: "size()", type: "GAUGE" },
          { name: "h", value: "size()", type: "HISTOGRAM" },
          { name: "bad", value: "text()" },
          { name: "negative", value: "minus()" },
          { name: "absent", value: "no.such" },
          { name: "path", value: "response.code" },
        ],
      },
      { expressions: { "size()": () => "42", "text()": () => "4x", "minus()": () => "-4" } },
    );
    expect(host.metrics.lines().filter((line) => /^istio_\w+\{\}/.test(line))).toEqual([
      "istio_absent{} 0",
      "istio_bad{} 0",
      "istio_c{} 42",
      "istio_g{} 42",
      "istio_h{} [42]",
      "istio_negative{} 0",
      "istio_path{} 200",
    ]);
  });

  it("with a standard name, without a name, twice or unparsable are ignored", () => {
    const host = run(
      {
        definitions: [
          { name: "requests_total", value: "5" },
          { value: "1" },
          { name: "x", value: "1" },
          { name: "x", value: "2" },
          { name: "y", value: "a +" },
        ],
      },
      { expressions: { "a +": null } },
    );
    expect(series(host, "istio_requests_total").value).toBe(1);
    expect(series(host, "istio_x").value).toBe(1);
    expect(host.metrics.family("istio_y")).toEqual([]);
    expect(host.logs).toEqual([
      '3: stats: definition "requests_total" is ignored: this is a standard metric',
      '3: stats: definition "" is ignored: it has no name',
      '3: stats: definition "x" is ignored: it is defined twice',
      '3: stats: definition "y" is ignored: "a +" does not parse',
    ]);
  });

  it("can use a text that a label uses too", () => {
    const host = run(
      { definitions: [{ name: "n", value: "size()" }], metrics: [{ name: "n", dimensions: { size: "size()" } }] },
      { expressions: { "size()": () => "7" } },
    );
    expect(host.metrics.lines()).toContain('istio_n{size="7"} 7');
  });
});

describe("the configuration", () => {
  it("may be empty", () => {
    expect(series(run(""), "istio_requests_total").labels).toEqual(LABELS);
  });

  it("that is not JSON leaves the extension without effect", () => {
    const host = run("{");
    expect(host.accepted).toEqual([false]);
    expect(host.metrics.all()).toEqual([]);
  });

  it("names unknown fields at every level and goes on", () => {
    const host = run({
      debug: "false",
      stat_prefix: "istio",
      field_separator: ";.;",
      nonsense: 1,
      metrics: [{ nonsense: 1 }],
      definitions: [{ name: "x", value: "1", nonsense: 1 }],
    });
    expect(host.logs).toEqual(Array.from({ length: 3 }, () => '3: stats: unknown field "nonsense" is ignored'));
    expect(host.metrics.family("istio_x").length).toBe(1);
  });

  it("of the wrong shape does no harm", () => {
    const shapes = [1, "x", [], {}, null, true];
    for (const metrics of shapes) {
      for (const inner of shapes) {
        const host = run({
          metrics: [metrics, { name: inner, dimensions: inner, tags_to_remove: inner, drop: inner }],
          definitions: metrics,
          tcp_reporting_duration: inner,
          reporter: inner,
        });
        expect(host.metrics.family("istio_requests_total").length).toBe(1);
      }
    }
  });
});
