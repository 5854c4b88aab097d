import type { JsonObject, MessageInitShape } from "@bufbuild/protobuf";
import type { SubstitutionFormatStringSchema } from "@mixerless/wire/envoy/config/core/v3/substitution_format_string";
import { ReqWithoutQuerySchema } from "@mixerless/wire/envoy/extensions/formatter/req_without_query/v3/req_without_query";
import type { MeshConfigSpec } from "../../config/kinds/mesh-config.ts";
import { typed } from "../proto.ts";

type Format = MessageInitShape<typeof SubstitutionFormatStringSchema>;

/** Istio's default line, operator by operator [telemetry §6.1]. */
const DEFAULT_TEXT =
  '[%START_TIME%] "%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%" %RESPONSE_CODE% %RESPONSE_FLAGS% ' +
  '%RESPONSE_CODE_DETAILS% %CONNECTION_TERMINATION_DETAILS% "%UPSTREAM_TRANSPORT_FAILURE_REASON%" %BYTES_RECEIVED% ' +
  '%BYTES_SENT% %DURATION% %RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% "%REQ(X-FORWARDED-FOR)%" "%REQ(USER-AGENT)%" ' +
  '"%REQ(X-REQUEST-ID)%" "%REQ(:AUTHORITY)%" "%UPSTREAM_HOST%" %UPSTREAM_CLUSTER_RAW% %UPSTREAM_LOCAL_ADDRESS% ' +
  "%DOWNSTREAM_LOCAL_ADDRESS% %DOWNSTREAM_REMOTE_ADDRESS% %REQUESTED_SERVER_NAME% %ROUTE_NAME%\n";

/** The same as an object [telemetry §6.2]. */
const DEFAULT_JSON: JsonObject = {
  start_time: "%START_TIME%",
  route_name: "%ROUTE_NAME%",
  method: "%REQ(:METHOD)%",
  path: "%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%",
  protocol: "%PROTOCOL%",
  response_code: "%RESPONSE_CODE%",
  response_flags: "%RESPONSE_FLAGS%",
  response_code_details: "%RESPONSE_CODE_DETAILS%",
  connection_termination_details: "%CONNECTION_TERMINATION_DETAILS%",
  bytes_received: "%BYTES_RECEIVED%",
  bytes_sent: "%BYTES_SENT%",
  duration: "%DURATION%",
  upstream_service_time: "%RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)%",
  x_forwarded_for: "%REQ(X-FORWARDED-FOR)%",
  user_agent: "%REQ(USER-AGENT)%",
  request_id: "%REQ(X-REQUEST-ID)%",
  authority: "%REQ(:AUTHORITY)%",
  upstream_host: "%UPSTREAM_HOST%",
  upstream_cluster: "%UPSTREAM_CLUSTER_RAW%",
  upstream_local_address: "%UPSTREAM_LOCAL_ADDRESS%",
  downstream_local_address: "%DOWNSTREAM_LOCAL_ADDRESS%",
  downstream_remote_address: "%DOWNSTREAM_REMOTE_ADDRESS%",
  requested_server_name: "%REQUESTED_SERVER_NAME%",
  upstream_transport_failure_reason: "%UPSTREAM_TRANSPORT_FAILURE_REASON%",
};

/** The format of `accessLogEncoding` and `accessLogFormat`; what is no JSON object is the default one. */
export function meshFormat({ accessLogEncoding, accessLogFormat }: MeshConfigSpec): Format {
  return accessLogEncoding === "JSON" ? jsonFormat(parseObject(accessLogFormat)) : textFormat(accessLogFormat);
}

/** The format of an `envoyFileAccessLog`; without one, the mesh's. */
export function providerFormat(
  { logFormat, omitEmptyValues }: Readonly<Record<string, unknown>>,
  mesh: MeshConfigSpec,
): Format {
  const { text, labels } = isObject(logFormat) ? logFormat : {};
  const format = isObject(labels) ? jsonFormat(labels) : typeof text === "string" ? textFormat(text) : meshFormat(mesh);
  return omitEmptyValues === true ? { ...format, omitEmptyValues } : format;
}

function textFormat(written: string): Format {
  const text = written === "" ? DEFAULT_TEXT : written.endsWith("\n") ? written : `${written}\n`;
  const source = { specifier: { case: "inlineString" as const, value: text } };
  return { format: { case: "textFormatSource", value: source }, formatters: formattersOf(text) };
}

function jsonFormat(labels: JsonObject): Format {
  const value = Object.keys(labels).length === 0 ? DEFAULT_JSON : labels;
  return { format: { case: "jsonFormat", value }, formatters: formattersOf(JSON.stringify(value)) };
}

/** The one operator that Envoy has outside of its own table. */
function formattersOf(format: string): NonNullable<Format["formatters"]> {
  if (!format.includes("%REQ_WITHOUT_QUERY(")) return [];
  return [{ name: "envoy.formatter.req_without_query", typedConfig: typed(ReqWithoutQuerySchema, {}) }];
}

function parseObject(text: string): JsonObject {
  try {
    const parsed: unknown = JSON.parse(text);
    return isObject(parsed) ? parsed : {};
  } catch {
    return {};
  }
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
