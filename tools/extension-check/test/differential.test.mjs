import assert from "node:assert/strict";
import { before, test } from "node:test";
import * as inProcess from "../../../packages/extensions/dist/index.js";
import { CLIENT, SERVER } from "../../../packages/extensions/dist/testing/mesh.js";
import { FakeHost } from "../../../packages/sdk/dist/testing/index.js";
import { compile } from "../src/compile.mjs";
import { extensions } from "../src/extensions.mjs";
import { hostedForm } from "../src/hosted-form.mjs";
import { Random, randomAttributes, randomPeerHeaders, randomRequest } from "../src/random-streams.mjs";
import { wasmForm } from "../src/wasm-form.mjs";

const STREAMS = 10_000;
const PEER_HEADERS = 20_000;
const STREAMS_PER_HOST = 50;

const forms = {};

before(async () => {
  const files = extensions.map((extension) => compile(extension));
  const [policy, exchange, stats] = files.map(wasmForm);
  const [hostedPolicy, hostedExchange, hostedStats] = await Promise.all(files.map(hostedForm));
  forms.inProcess = {
    policy: inProcess.createAccessLogPolicy,
    exchange: inProcess.createMetadataExchangePlugin,
    stats: inProcess.createStats,
  };
  forms.wasm = { policy, exchange, stats };
  forms.hosted = { policy: hostedPolicy, exchange: hostedExchange, stats: hostedStats };
});

const EXCHANGES = [{}, "", { max_peer_cache_size: 4, additional_labels: ["role"] }, { max_peer_cache_size: 0 }];

const STATS = [
  {},
  "",
  "{",
  { disable_host_header_fallback: true, tcp_reporting_duration: "1s" },
  { reporter: "SERVER_GATEWAY", tcpReportingDuration: "2.5s", unknown: 1 },
  {
    definitions: [
      { name: "one", value: "1" },
      { name: "code", value: "response.code", type: "HISTOGRAM" },
      { name: "size", value: "f(request)", type: "GAUGE" },
      { name: "bad", value: "a +" },
    ],
    metrics: [
      { name: "one", dimensions: { z: "'\\u00e9'", peer: "filter_state.downstream_peer.labels['role']" } },
      { dimensions: { source_app: "a +", protocol: "request.protocol", code: "response.code", f: "f(request)" } },
      { tags_to_remove: ["response_flags", "request_protocol"], name: "requests_total" },
      { name: "request_bytes", drop: true },
      { dimensions: { response_flags: "'back'", up: "upstream_peer.workload_name" } },
    ],
  },
];

const POLICY = { log_window_duration: "5s", max_client_cache_size: 3 };

const expressions = {
  "a +": null,
  "f(request)": (stream) => (stream.attribute(["response", "code"]) === 404 ? null : "12"),
};

function createHost(form, exchange, stats, node, direction) {
  return new FakeHost({
    filters: [
      { createRoot: form.exchange, configuration: exchange },
      { createRoot: form.stats, configuration: stats },
      { createRoot: form.policy, configuration: POLICY },
    ],
    attributes: { xds: { node, listener_direction: direction } },
    expressions,
  });
}

/** Runs one random host from its seed and gives everything that can be seen of it. */
function observe(form, seed) {
  const random = new Random(seed);
  const direction = random.below(3);
  const node = random.of([CLIENT, SERVER, {}]);
  const host = createHost(form, random.of(EXCHANGES), random.of(STATS), node, direction);
  const seen = [];
  for (let i = 0; i < STREAMS_PER_HOST; i++)
    seen.push(random.chance(20) ? connection(host, random) : request(host, random));
  return { accepted: host.accepted, seen, metrics: host.metrics.lines(), logs: host.logs };
}

function request(host, random) {
  const requestHeaders = [...randomRequest(random), ...randomPeerHeaders(random)];
  const stream = host.open({ requestHeaders, attributes: randomAttributes(random) });
  const seen = {};
  if (random.chance(95)) seen.request = structuredClone(stream.request());
  if (random.chance(90))
    seen.response = structuredClone(stream.response([[":status", "200"], ...randomPeerHeaders(random)]));
  return finish(host, stream, random, seen);
}

function connection(host, random) {
  const stream = host.open({ attributes: randomAttributes(random) });
  stream.connect();
  if (random.chance(50)) stream.stream.setState({ name: "peer_not_found", slot: 0 }, "1");
  return finish(host, stream, random, {});
}

function finish(host, stream, random, seen) {
  if (random.chance(30)) host.advance(random.below(8000));
  if (random.chance(3)) stream.abort();
  else stream.end(random.chance(50) ? randomAttributes(random) : undefined);
  const names = [
    "downstream_peer",
    "downstream_peer_id",
    "upstream_peer",
    "upstream_peer_id",
    "peer_not_found",
    "istio.access_log_policy",
  ];
  seen.states = names.map((name) => stream.stream.state(name));
  seen.period = host.roots.map((root) => root.tickPeriod);
  return seen;
}

test(`${STREAMS} random streams leave the same behind in process, as Wasm, and as Wasm in the proxy's host`, () => {
  const total = { streams: 0, series: 0 };
  for (let seed = 1; total.streams < STREAMS; seed++) {
    const expected = observe(forms.inProcess, seed);
    assert.deepEqual(observe(forms.wasm, seed), expected, `seed ${seed}`);
    assert.deepEqual(observe(forms.hosted, seed), expected, `seed ${seed}, hosted`);
    total.streams += STREAMS_PER_HOST;
    total.series += expected.metrics.length;
  }
  console.log(`${total.streams} streams, ${total.series} series`);
});

test(`${PEER_HEADERS} peer headers, many of them damaged, are understood alike`, () => {
  const hosts = [forms.inProcess, forms.wasm, forms.hosted].map((form) =>
    createHost(form, { max_peer_cache_size: 0 }, {}, SERVER, 1),
  );
  const total = { found: 0, refused: 0 };
  for (let seed = 1; seed <= PEER_HEADERS; seed++) {
    const [expected, actual, hosted] = hosts.map((host) => {
      const stream = host.open({ requestHeaders: randomPeerHeaders(new Random(seed * 7919)) });
      stream.request();
      return stream.stream.state("downstream_peer");
    });
    assert.equal(actual, expected, `seed ${seed}`);
    assert.equal(hosted, expected, `seed ${seed}, hosted`);
    if (expected === null) total.refused++;
    else total.found++;
  }
  assert.ok(total.found > 1000 && total.refused > 1000, JSON.stringify(total));
  console.log(`${total.found} found, ${total.refused} refused`);
});
