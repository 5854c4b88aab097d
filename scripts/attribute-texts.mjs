// What attributes mean: English, Chinese. The names and types are those of packages/expression.

const TLS = {
  tls_version: ["`TLSv1.2` or `TLSv1.3`", "`TLSv1.2` 或 `TLSv1.3`"],
  subject_local_certificate: ["Subject of the own certificate", "本端证书的 subject"],
  subject_peer_certificate: ["Subject of the other side's certificate", "对端证书的 subject"],
  dns_san_local_certificate: ["First DNS name of the own certificate", "本端证书的第一个 DNS 名"],
  dns_san_peer_certificate: ["First DNS name of the other side's certificate", "对端证书的第一个 DNS 名"],
  uri_san_local_certificate: [
    "First URI of the own certificate, its SPIFFE identity",
    "本端证书的第一个 URI，即 SPIFFE 身份",
  ],
  uri_san_peer_certificate: [
    "First URI of the other side's certificate, its SPIFFE identity",
    "对端证书的第一个 URI，即 SPIFFE 身份",
  ],
  sha256_peer_certificate_digest: ["Digest of the other side's certificate, hexadecimal", "对端证书的摘要（十六进制）"],
};

export const TEXTS = {
  request: {
    path: ["Path with the query", "路径，含查询串"],
    url_path: ["Path without the query", "路径，不含查询串"],
    host: ["Host that was asked for (`:authority`)", "请求的主机（`:authority`）"],
    scheme: ["`http` or `https`", "`http` 或 `https`"],
    method: ["Method", "方法"],
    headers: [
      "Headers by their names in lower case; several values are joined by commas",
      "请求头，键为小写；多个值以逗号连接",
    ],
    headers_bytes: ["As `headers`, as bytes", "同 `headers`，值为字节"],
    referer: ["Header `referer`", "`referer` 头"],
    useragent: ["Header `user-agent`", "`user-agent` 头"],
    time: ["When the first byte came", "收到第一个字节的时间"],
    duration: ["From the first byte to the last; only at the end", "从第一个字节到最后一个字节；仅在结束时有值"],
    id: ["Header `x-request-id`", "`x-request-id` 头"],
    protocol: ["`HTTP/1.0`, `HTTP/1.1`, `HTTP/2`", "`HTTP/1.0`、`HTTP/1.1`、`HTTP/2`"],
    query: ["What follows `?`", "`?` 之后的部分"],
    size: ["`content-length`, or the bytes of the body that came", "`content-length`，否则为已收到的正文字节数"],
    total_size: ["Headers and body, bytes", "头与正文的字节数"],
  },
  response: {
    code: ["Status; absent without a response", "状态码；没有响应时不存在"],
    code_details: ["Why it is this status", "状态码的原因"],
    flags: ["Response flags as bits", "响应标志（位）"],
    grpc_status: ["gRPC status; absent if it is none", "gRPC 状态；非 gRPC 时不存在"],
    headers: ["Headers by their names in lower case", "响应头，键为小写"],
    headers_bytes: ["As `headers`, as bytes", "同 `headers`，值为字节"],
    trailers: ["Trailers by their names in lower case", "响应尾部，键为小写"],
    size: ["Bytes of the body", "正文字节数"],
    total_size: ["Headers and body, bytes", "头与正文的字节数"],
    backend_latency: [
      "From the first byte sent to the backend to its last byte",
      "从向后端发出第一个字节到收到其最后一个字节",
    ],
  },
  source: {
    address: ["Who asks, `ip:port`", "请求方，`ip:port`"],
    port: ["Its port", "请求方端口"],
  },
  destination: {
    address: ["The address of the proxy that was asked, `ip:port`", "被请求的代理地址，`ip:port`"],
    port: ["Its port", "该地址的端口"],
  },
  connection: {
    id: ["Number of the connection in this proxy", "连接在本代理中的编号"],
    mtls: ["Whether the client presented a certificate", "客户端是否出示了证书"],
    requested_server_name: ["SNI", "SNI"],
    ...TLS,
    peer_certificate: ["The other side's certificate, PEM", "对端证书（PEM）"],
    transport_failure_reason: ["Why TLS failed", "TLS 失败的原因"],
    termination_details: ["Why the connection was ended", "连接终止的原因"],
  },
  upstream: {
    address: ["The host that was chosen, `ip:port`", "选中的上游主机，`ip:port`"],
    port: ["Its port", "其端口"],
    local_address: ["The own end of the connection to it", "到上游连接的本端地址"],
    ...TLS,
    transport_failure_reason: ["Why connecting failed", "连接失败的原因"],
    request_attempt_count: ["Attempts so far; 1 without retries", "已尝试次数；无重试时为 1"],
    num_endpoints: ["Hosts of the cluster", "集群的主机数"],
    cx_pool_ready_duration: ["Until a connection was there", "取得连接所用的时间"],
    locality: ["Where the host is", "上游主机所在位置"],
  },
  xds: {
    node: ["This proxy: `id`, `cluster`, `metadata`, `locality`", "本代理：`id`、`cluster`、`metadata`、`locality`"],
    cluster_name: ["Cluster that was chosen", "选中的集群"],
    cluster_metadata: [
      "Its metadata, e.g. `.filter_metadata.istio.services[0].host`",
      "其元数据，如 `.filter_metadata.istio.services[0].host`",
    ],
    route_name: ["Route that was taken", "命中的路由"],
    route_metadata: ["Its metadata", "其元数据"],
    virtual_host_name: ["Virtual host", "虚拟主机"],
    virtual_host_metadata: ["Its metadata", "其元数据"],
    upstream_host_metadata: ["Metadata of the chosen host", "选中主机的元数据"],
    upstream_host_locality_metadata: ["Metadata of its locality", "其位置的元数据"],
    filter_chain_name: ["Filter chain of the listener", "监听器的过滤器链"],
    listener_direction: ["0 unspecified, 1 inbound, 2 outbound", "0 未指定，1 入站，2 出站"],
    listener_metadata: ["Metadata of the listener", "监听器的元数据"],
  },
  metadata: {
    filter_metadata: ["What filters noted about the request, by their names", "过滤器记录的请求信息，按过滤器名"],
    typed_filter_metadata: ["The same as messages", "同上，以消息表示"],
  },
  "filter_state.upstream_peer": {
    namespace: ["Namespace", "命名空间"],
    cluster: ["Cluster of the mesh", "网格集群"],
    service: ["Canonical service", "规范服务名"],
    revision: ["Canonical revision", "规范版本"],
    app: ["Label `app.kubernetes.io/name`, or `app`", "标签 `app.kubernetes.io/name`，否则 `app`"],
    version: ["Label `app.kubernetes.io/version`, or `version`", "标签 `app.kubernetes.io/version`，否则 `version`"],
    workload: ["Workload", "工作负载"],
    type: ["`deployment`, `cronjob`, `job` or `pod`", "`deployment`、`cronjob`、`job` 或 `pod`"],
    name: ["Instance", "实例名"],
    identity: ["SPIFFE identity", "SPIFFE 身份"],
    labels: ["Labels", "标签"],
    region: ["Region", "地域"],
    availability_zone: ["Zone", "可用区"],
  },
};

/** Names that stand alone. */
export const SINGLE = {
  filter_state: [
    "What filters left for each other; `filter_state.downstream_peer` has the same fields as `upstream_peer`",
    "过滤器之间传递的状态；`filter_state.downstream_peer` 与 `upstream_peer` 字段相同",
  ],
  upstream_filter_state: ["The same on the connection upstream", "上游连接上的状态"],
  plugin_name: ["Name of the extension", "扩展的名称"],
  plugin_root_id: ["Its root", "其 root"],
  plugin_vm_id: ["Its VM", "其 VM"],
};

/** What the embedded proxy does not keep: absent there, always. */
export const NOT_KEPT = [
  "connection.dns_san_local_certificate",
  "connection.peer_certificate",
  "connection.transport_failure_reason",
  "upstream.dns_san_local_certificate",
  "upstream.num_endpoints",
  "xds.upstream_host_locality_metadata",
  "metadata.typed_filter_metadata",
  "upstream_filter_state",
];
