const REQUEST_LABELS = [
  ...["source_cluster", "source_workload_namespace", "source_workload", "source_canonical_service"],
  ...["source_canonical_revision", "destination_cluster", "destination_service_namespace", "destination_service"],
  ...["destination_service_name", "destination_workload_namespace", "destination_workload"],
  ...["destination_canonical_service", "destination_canonical_revision"],
];
const PROTOCOL_LABELS = ["request_protocol", "response_code", "grpc_response_status", "response_flags"];

/** What Kiali asks to draw the graph of a namespace: requests, gRPC messages, TCP bytes. */
export function kialiQueries(namespace: string, window: string): string[] {
  const unserved = `reporter="source",source_workload_namespace!="${namespace}",destination_workload_namespace="unknown",destination_workload="unknown",destination_service=~"^.+\\\\.${namespace}\\\\..+$"`;
  const selectors = [
    unserved,
    `reporter="source",source_workload_namespace!="${namespace}",destination_workload_namespace="${namespace}"`,
    `reporter="destination",destination_workload_namespace="${namespace}"`,
    `reporter=~"waypoint|destination",destination_workload_namespace="${namespace}"`,
    `reporter="source",source_workload_namespace="${namespace}"`,
  ];
  const metrics: [string, string[]][] = [
    ["istio_requests_total", [...REQUEST_LABELS, ...PROTOCOL_LABELS]],
    ["istio_request_messages_total", REQUEST_LABELS],
    ["istio_response_messages_total", REQUEST_LABELS],
    ["istio_tcp_received_bytes_total", [...REQUEST_LABELS, "app", "response_flags"]],
    ["istio_tcp_sent_bytes_total", [...REQUEST_LABELS, "app", "response_flags"]],
  ];
  return metrics.flatMap(([metric, labels]) =>
    selectors.map((selector) => `sum(rate(${metric}{${selector}}[${window}])) by (${labels.join(", ")}) > 0`),
  );
}
