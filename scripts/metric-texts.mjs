// What people want to know of each metric and label beside its name: [English, Chinese]. The names, the types and which
// metric carries which label come from the extension's own tables.

export const METRICS = {
  istio_requests_total: ["Requests, when their stream ends.", "请求数，流结束时计入。"],
  istio_request_duration_milliseconds: [
    "From the first byte of the request to the last of the response, whole milliseconds.",
    "从请求的第一个字节到响应的最后一个字节，整毫秒。",
  ],
  istio_request_bytes: [
    "Bytes of a request on the downstream connection, framing included.",
    "下游连接上请求的字节数，含帧。",
  ],
  istio_response_bytes: [
    "Bytes of a response on the downstream connection, framing included.",
    "下游连接上响应的字节数，含帧。",
  ],
  istio_request_messages_total: ["gRPC messages from the client.", "客户端发送的 gRPC 消息数。"],
  istio_response_messages_total: ["gRPC messages from the server.", "服务端发送的 gRPC 消息数。"],
  istio_tcp_sent_bytes_total: [
    "Bytes that the proxy wrote to its downstream, at each interval and at the end.",
    "代理写给下游的字节数，每个周期及连接结束时计入。",
  ],
  istio_tcp_received_bytes_total: [
    "Bytes that the proxy read from its downstream, at each interval and at the end.",
    "代理从下游读到的字节数，每个周期及连接结束时计入。",
  ],
  istio_tcp_connections_opened_total: ["TCP connections, once the peer is known.", "TCP 连接数，得知对端身份后计入。"],
  istio_tcp_connections_closed_total: ["TCP connections that have ended.", "已结束的 TCP 连接数。"],
};

/** How many values a label has: a handful whatever the mesh; as many as the mesh has workloads or services; or what peers choose. */
export const CARDINALITY = {
  fixed: ["fixed", "固定"],
  workloads: ["workloads", "工作负载数"],
  services: ["services", "服务数"],
  peers: ["chosen by peers, bounded", "由对端决定，有上限"],
};

const workload = (english, chinese) => ({
  workload: ["workloads", `Name of the ${english}'s workload.`, `${chinese}工作负载的名称。`],
  canonical_service: [
    "workloads",
    `Canonical service of the ${english}: label \`service.istio.io/canonical-name\`, else app.`,
    `${chinese}的规范服务：标签 \`service.istio.io/canonical-name\`，否则为 app。`,
  ],
  canonical_revision: [
    "workloads",
    `Canonical revision of the ${english}: label \`service.istio.io/canonical-revision\`, else version, else \`latest\`.`,
    `${chinese}的规范修订：标签 \`service.istio.io/canonical-revision\`，否则为 version，再否则为 \`latest\`。`,
  ],
  workload_namespace: ["workloads", `Namespace of the ${english}.`, `${chinese}的命名空间。`],
  principal: [
    "workloads",
    `SPIFFE identity of the ${english}; \`unknown\` without mutual TLS.`,
    `${chinese}的 SPIFFE 身份；没有双向 TLS 时为 \`unknown\`。`,
  ],
  app: ["workloads", `Label \`app\` of the ${english}.`, `${chinese}的标签 \`app\`。`],
  version: ["workloads", `Label \`version\` of the ${english}.`, `${chinese}的标签 \`version\`。`],
  cluster: ["fixed", `Cluster that the ${english} runs in.`, `${chinese}所在的集群。`],
});

const prefixed = (prefix, labels) =>
  Object.fromEntries(Object.entries(labels).map(([name, value]) => [`${prefix}_${name}`, value]));

/** Label → [cardinality, English, Chinese]. */
export const LABELS = {
  reporter: ["fixed", "Which end counted: `source` or `destination`.", "由哪一端计数：`source` 或 `destination`。"],
  ...prefixed("source", workload("caller", "调用方")),
  ...prefixed("destination", workload("callee", "被调用方")),
  destination_service: [
    "services",
    "Host that was called: the service's, or the request's authority.",
    "被调用的主机：服务的主机名，或请求的 authority。",
  ],
  destination_service_name: [
    "services",
    "Name of the service; `PassthroughCluster`, `BlackHoleCluster` for traffic to none.",
    "服务名称；没有对应服务的流量为 `PassthroughCluster` 或 `BlackHoleCluster`。",
  ],
  destination_service_namespace: ["services", "Namespace of the service.", "服务的命名空间。"],
  request_protocol: ["fixed", "`http`, `grpc` or `tcp`.", "`http`、`grpc` 或 `tcp`。"],
  response_code: ["fixed", "HTTP status, `0` where none was sent.", "HTTP 状态码，未发送响应时为 `0`。"],
  grpc_response_status: ["fixed", "Status of a gRPC call, else empty.", "gRPC 调用的状态，否则为空。"],
  response_flags: ["fixed", "Envoy's flags of what went wrong, `-` for nothing.", "Envoy 的响应标志，正常时为 `-`。"],
  connection_security_policy: [
    "fixed",
    "`mutual_tls` or `none` at the destination; `unknown` at the source.",
    "在目标端为 `mutual_tls` 或 `none`；在源端为 `unknown`。",
  ],
};
