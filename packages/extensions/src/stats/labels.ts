/** The standard labels in the order in which upstream emits them. */
export const LABELS: string[] = [
  "reporter",
  "source_workload",
  "source_canonical_service",
  "source_canonical_revision",
  "source_workload_namespace",
  "source_principal",
  "source_app",
  "source_version",
  "source_cluster",
  "destination_workload",
  "destination_workload_namespace",
  "destination_principal",
  "destination_app",
  "destination_version",
  "destination_service",
  "destination_canonical_service",
  "destination_canonical_revision",
  "destination_service_name",
  "destination_service_namespace",
  "destination_cluster",
  "request_protocol",
  "response_code",
  "grpc_response_status",
  "response_flags",
  "connection_security_policy",
];

/** Counts of messages end before this index. */
const FIRST_REQUEST_LABEL: i32 = 20;
const RESPONSE_CODE: i32 = 21;
const GRPC_RESPONSE_STATUS: i32 = 22;

/** Which of the labels a metric has. */
export const HTTP_LABELS: i32 = 0;
export const MESSAGE_LABELS: i32 = 1;
export const TCP_LABELS: i32 = 2;

/** Whether metrics of this label set carry the label at `index` of {@link LABELS}. */
export function carries(labelSet: i32, index: i32): boolean {
  if (labelSet === MESSAGE_LABELS) return index < FIRST_REQUEST_LABEL;
  return labelSet !== TCP_LABELS || (index !== RESPONSE_CODE && index !== GRPC_RESPONSE_STATUS);
}
