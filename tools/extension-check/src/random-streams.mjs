import { encodeBase64, StructWriter, toBytes } from "../../../packages/sdk/dist/index.js";

/** A seeded source of choices: the same seed gives the same streams. */
export class Random {
  #state;

  constructor(seed) {
    this.#state = seed >>> 0;
  }

  /** A whole number in `[0, n)`. */
  below(n) {
    this.#state = (Math.imul(this.#state ^ (this.#state >>> 15), 0x2c1b3c6d) + 0x9e3779b9) >>> 0;
    return Math.floor(((this.#state ^ (this.#state >>> 13)) >>> 0) % n);
  }

  of(list) {
    return list[this.below(list.length)];
  }

  chance(percent) {
    return this.below(100) < percent;
  }
}

const TEXTS = [
  "",
  "a",
  "default",
  "x".repeat(200),
  "nul\0inside",
  "\u00ff\u00fe",
  "caf\u00c3\u00a9",
  "a;b;c;d;e",
  "=.=",
  "unknown",
];
// A peer whose text is not UTF-8 is refused as a whole, so these come rarely.
const PEER_TEXTS = TEXTS.filter((text) => text !== "\u00ff\u00fe");
const IDENTITIES = ["", "spiffe://d/ns/shop/sa/a", "spiffe://d/ns/x", "none", "spiffe://d/ns//sa/a"];
const CLUSTERS = ["outbound|80||a", "PassthroughCluster", "BlackHoleCluster", "InboundPassthroughCluster", ""];
const ROUTES = ["default", "block_all", "allow_any", ""];
const TYPES = ["text/html", "application/grpc", "application/grpc+proto", "application/grpc-web", ""];
const SIZES = [0, 1, 255, 65536, 2 ** 33 + 7, 2 ** 52];
const CODES = [200, 404, 503, 0, 100, 999];
const LABELS = ["app", "version", "app.kubernetes.io/name", "service.istio.io/canonical-name", "role"];
const FIELDS = ["NAME", "NAMESPACE", "WORKLOAD_NAME", "CLUSTER_ID", "OWNER", "IDENTITY"];

/** Sometimes absent. */
function maybe(random, list) {
  return random.chance(25) ? undefined : random.of(list);
}

/** Peer metadata as Struct bytes. */
export function randomPeer(random) {
  const struct = new StructWriter();
  const texts = random.chance(3) ? TEXTS : PEER_TEXTS;
  for (const field of FIELDS) struct.addText(field, maybe(random, texts) ?? "");
  struct.addText("OWNER", maybe(random, ["kubernetes://apis/apps/v1/namespaces/n/deployments/a", "x"]) ?? "");
  const labels = new StructWriter();
  for (const label of LABELS) labels.addText(label, maybe(random, texts) ?? "");
  struct.addStruct("LABELS", labels);
  return struct.finish();
}

/** The exchange's headers, now and then damaged. */
export function randomPeerHeaders(random) {
  const headers = [];
  if (random.chance(80)) headers.push(["x-envoy-peer-metadata-id", `peer-${random.below(40)}`]);
  if (random.chance(85)) headers.push(["x-envoy-peer-metadata", randomMetadata(random)]);
  if (random.chance(5)) headers.push(["x-envoy-peer-metadata", "second"]);
  return headers;
}

function randomMetadata(random) {
  const bytes = toBytes(randomPeer(random));
  const mutations = random.chance(40) ? random.below(4) : 0;
  for (let i = 0; i < mutations && bytes.length > 0; i++) bytes[random.below(bytes.length)] = random.below(256);
  const text = encodeBase64(random.chance(10) ? bytes.subarray(0, random.below(bytes.length + 1)) : bytes);
  if (random.chance(5)) return text.slice(0, random.below(text.length + 1));
  if (random.chance(5)) return `${text.slice(0, 7)}${String.fromCharCode(random.below(256))}${text.slice(8)}`;
  return random.chance(10) ? text.replace(/=+$/, "") : text;
}

/** Request headers of an application. */
export function randomRequest(random) {
  const headers = [];
  if (random.chance(95)) headers.push([":path", "/a"]);
  if (random.chance(90)) headers.push([":authority", random.of(TEXTS)]);
  if (random.chance(60)) headers.push(["content-type", random.of(TYPES)]);
  return headers;
}

/** The attributes of a stream at its end. */
const ADDRESSES = [undefined, "10.0.0.1:1", "10.0.0.1:2", "10.0.0.2:1", "[::1]:1"];

export function randomAttributes(random) {
  const text = (list) => maybe(random, list);
  const number = (list) => maybe(random, list);
  const flags = random.chance(50) ? 0 : random.below(2 ** 31);
  const certificate = () => ({
    uri_san_peer_certificate: text(IDENTITIES),
    uri_san_local_certificate: text(IDENTITIES),
  });
  const services = random.chance(70) ? [{ host: text(TEXTS), name: text(TEXTS), namespace: text(TEXTS) }] : undefined;
  const istio = { services, external: random.chance(20), disable_mx: random.chance(10) };
  const counts = { request_message_count: random.below(9), response_message_count: random.below(9) };
  return {
    request: { duration: number(SIZES), total_size: number(SIZES), protocol: text(TEXTS) },
    response: { code: number(CODES), flags, total_size: number(SIZES), grpc_status: number([0, 7, 16, 17, -1]) },
    source: { address: random.of(ADDRESSES) },
    connection: certificate(),
    upstream: certificate(),
    xds: {
      cluster_name: text(CLUSTERS),
      route_name: text(ROUTES),
      cluster_metadata: { filter_metadata: { istio } },
      upstream_host_metadata: { filter_metadata: { istio: { workload: text(TEXTS) } } },
    },
    filter_state: {
      "io.istio.peer_principal": random.chance(20) ? text(IDENTITIES) : undefined,
      "io.istio.local_principal": random.chance(20) ? text(IDENTITIES) : undefined,
      "envoy.filters.http.grpc_stats": random.of([undefined, counts, "3,4", "x"]),
    },
  };
}
