/** The request of every row: a head of about 430 bytes, without the peer's metadata. */
export const PATH = "/api/v1/products/7?currency=eur";

export const HEADERS = [
  ["host", "details.default.svc.cluster.local"],
  ["user-agent", "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"],
  ["accept", "application/json, text/plain;q=0.9, */*;q=0.8"],
  ["accept-language", "en-GB,en;q=0.7,de;q=0.3"],
  ["accept-encoding", "gzip, deflate, br"],
  ["referer", "http://productpage.default.svc.cluster.local/productpage?u=normal"],
  ["cookie", "session=eyJ1c2VyIjoiamFzb24ifQ.ZxYw; theme=dark"],
  ["x-requested-with", "XMLHttpRequest"],
];

/** What a sidecar in front of the caller adds: about 0.7 KB. */
export const PEER_HEADERS = peerHeaders("productpage-v1");

/** The headers of one peer, valid and different for each workload. */
export function peerHeaders(workload) {
  return [
    ["x-envoy-peer-metadata-id", `sidecar~10.28.2.14~${workload}-84975bc778-pxz2w.default~default.svc.cluster.local`],
    ["x-envoy-peer-metadata", peerMetadata(workload).toString("base64")],
  ];
}

/** A serialised google.protobuf.Struct as sidecars exchange it. */
function peerMetadata(workload) {
  return struct([
    ["CLUSTER_ID", text("Kubernetes")],
    [
      "LABELS",
      tagged(
        5,
        struct([
          ["app", text("productpage")],
          ["pod-template-hash", text("84975bc778")],
          ["security.istio.io/tlsMode", text("istio")],
          ["service.istio.io/canonical-name", text("productpage")],
          ["service.istio.io/canonical-revision", text("v1")],
          ["version", text("v1")],
        ]),
      ),
    ],
    ["NAME", text(`${workload}-84975bc778-pxz2w`)],
    ["NAMESPACE", text("default")],
    ["OWNER", text(`kubernetes://apis/apps/v1/namespaces/default/deployments/${workload}`)],
    ["WORKLOAD_NAME", text(workload)],
  ]);
}

function struct(entries) {
  return Buffer.concat(
    entries.map(([key, value]) => {
      return tagged(1, Buffer.concat([tagged(1, Buffer.from(key)), tagged(2, value)]));
    }),
  );
}

function text(value) {
  return tagged(3, Buffer.from(value));
}

function tagged(field, bytes) {
  return Buffer.concat([Buffer.from([(field << 3) | 2, ...varint(bytes.length)]), bytes]);
}

function varint(value) {
  return value < 128 ? [value] : [(value & 127) | 128, ...varint(value >>> 7)];
}
