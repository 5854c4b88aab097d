// Microseconds of CPU per stream of the in-process extensions on a host that does nothing else: context, request headers,
// response headers, log, delete. Best of several runs; the floor is a stream without extensions.
import { createMetadataExchange, createStats } from "../../../packages/extensions/dist/index.js";
import { CLIENT_PEER, INBOUND_EXCHANGE, peerHeader, SERVER } from "../../../packages/extensions/dist/testing/mesh.js";
import { HeaderName, Property } from "../../../packages/sdk/dist/index.js";
import { attributeAt } from "../../../packages/sdk/dist/testing/index.js";

const STREAMS = 200_000;
const RUNS = 8;
const PEERS = 20;

class Meter {
  total = 0;
  add(n) {
    this.total += n;
  }
  set(value) {
    this.total = value;
  }
  record(value) {
    this.total += value;
  }
}

const attributes = { xds: { node: SERVER, listener_direction: 1 } };

class Root {
  #series = new Map();

  counter(name, _labels, values) {
    const key = `${name} ${values.join()}`;
    if (!this.#series.has(key)) this.#series.set(key, new Meter());
    return this.#series.get(key);
  }
  gauge(name, labels, values) {
    return this.counter(name, labels, values);
  }
  histogram(name, labels, values) {
    return this.counter(name, labels, values);
  }
  expression() {
    return null;
  }
  rootString(property) {
    return attributeAt(attributes, property.path) ?? null;
  }
  rootNumber(property, missing) {
    return attributeAt(attributes, property.path) ?? missing;
  }
  now() {
    return 0;
  }
  log(_level, message) {
    console.log(message);
  }
  setTickPeriod() {}
}

const readers = [];
const property = (path, read) => {
  readers[new Property(path).slot] = read;
};
for (const field of ["host", "name", "namespace"]) {
  property(["xds", "cluster_metadata", "filter_metadata", "istio", "services", "0", field], (s) => s.service[field]);
}
property(["xds", "cluster_name"], (s) => s.cluster);
property(["xds", "route_name"], (s) => s.route);
property(["connection", "uri_san_peer_certificate"], (s) => s.peerIdentity);
property(["connection", "uri_san_local_certificate"], (s) => s.localIdentity);
property(["response", "code"], (s) => s.code);
property(["response", "flags"], (s) => s.flags);
property(["request", "duration"], (s) => s.duration);
property(["request", "total_size"], (s) => s.received);
property(["response", "total_size"], (s) => s.sent);

class Stream {
  service = { host: "ratings.default.svc.cluster.local", name: "ratings", namespace: "default" };
  cluster = "inbound|9080||";
  route = "default";
  peerIdentity = "spiffe://cluster.local/ns/default/sa/productpage";
  localIdentity = "spiffe://cluster.local/ns/default/sa/ratings";
  code = 200;
  flags = 0;
  duration = 3e6;
  received = 100;
  sent = 200;
  written = 0;
  #headers;
  #states = [];

  constructor(headers) {
    this.#headers = headers;
  }
  getString(name) {
    return readers[name.slot]?.(this) ?? null;
  }
  getNumber(name, missing) {
    return readers[name.slot]?.(this) ?? missing;
  }
  /** As a codec would: the value is bytes until someone asks. */
  getHeader(_map, name) {
    const value = this.#headers[name.slot];
    return value === undefined ? null : value.latin1Slice(0, value.length);
  }
  headerSize(_map, name) {
    return this.#headers[name.slot]?.length ?? -1;
  }
  replaceHeader(_map, _name, value) {
    this.written += value.bytes.length;
  }
  removeHeader() {
    this.written++;
  }
  getState(name) {
    return this.#states[name.slot] ?? null;
  }
  setState(name, value) {
    this.#states[name.slot] ??= value;
  }
}

function headersOf(i, withId) {
  const headers = [];
  const set = (name, value) => {
    headers[new HeaderName(name).slot] = Buffer.from(value);
  };
  if (withId) set("x-envoy-peer-metadata-id", `sidecar~10.1.2.${i}~productpage-${i}.default~default.svc.cluster.local`);
  set("x-envoy-peer-metadata", peerHeader({ ...CLIENT_PEER, NAME: `productpage-${i}` }));
  return headers;
}

function start(createRoot, configuration) {
  const root = createRoot(new Root());
  root.onConfigure(JSON.stringify(configuration));
  return root;
}

function run(roots, headers) {
  for (let i = 0; i < STREAMS; i++) {
    const stream = new Stream(headers[i % headers.length]);
    const contexts = roots.map((root) => root.createStream(stream));
    for (const context of contexts) context.onRequestHeaders(1, true);
    for (const context of contexts) context.onResponseHeaders(1, true);
    for (const context of contexts) context.onLog();
    for (const context of contexts) context.onDelete();
  }
}

function measure(name, roots, headers) {
  let best = Number.POSITIVE_INFINITY;
  for (let i = 0; i < RUNS; i++) {
    const begin = process.cpuUsage();
    run(roots, headers);
    best = Math.min(best, process.cpuUsage(begin).user / STREAMS);
  }
  console.log(`${name.padEnd(44)} ${best.toFixed(2)} µs`);
}

const peers = Array.from({ length: PEERS }, (_, i) => headersOf(i, true));
const strangers = Array.from({ length: PEERS }, (_, i) => headersOf(i, false));
measure("no extension", [], peers);
const exchange = start(createMetadataExchange, INBOUND_EXCHANGE);
measure("metadata exchange, known peers", [exchange], peers);
measure("metadata exchange, peers without an id", [exchange], strangers);
measure("statistics", [start(createStats, {})], peers);
measure("both, one known peer", [exchange, start(createStats, {})], peers.slice(0, 1));
measure("both, known peers", [exchange, start(createStats, {})], peers);
