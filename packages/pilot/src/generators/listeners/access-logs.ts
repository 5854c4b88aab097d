import type { MessageInitShape } from "@bufbuild/protobuf";
import type { AccessLogFilterSchema, AccessLogSchema } from "@mixerless/wire/envoy/config/accesslog/v3/accesslog";
import { FileAccessLogSchema } from "@mixerless/wire/envoy/extensions/access_loggers/file/v3/file";
import type { GeneratorInput } from "../generator-input.ts";
import { typed } from "../proto.ts";

/** Istio's default line, operator by operator [telemetry §6.1]. */
const DEFAULT_TEXT_FORMAT =
  '[%START_TIME%] "%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%" %RESPONSE_CODE% %RESPONSE_FLAGS% ' +
  '%RESPONSE_CODE_DETAILS% %CONNECTION_TERMINATION_DETAILS% "%UPSTREAM_TRANSPORT_FAILURE_REASON%" %BYTES_RECEIVED% ' +
  '%BYTES_SENT% %DURATION% %RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% "%REQ(X-FORWARDED-FOR)%" "%REQ(USER-AGENT)%" ' +
  '"%REQ(X-REQUEST-ID)%" "%REQ(:AUTHORITY)%" "%UPSTREAM_HOST%" %UPSTREAM_CLUSTER_RAW% %UPSTREAM_LOCAL_ADDRESS% ' +
  "%DOWNSTREAM_LOCAL_ADDRESS% %DOWNSTREAM_REMOTE_ADDRESS% %REQUESTED_SERVER_NAME% %ROUTE_NAME%\n";

/**
 * The log of a listener itself: the connections that none of its filter chains takes, which no filter can log
 * [telemetry §6.4].
 */
export function listenerAccessLogs(input: GeneratorInput): MessageInitShape<typeof AccessLogSchema>[] {
  if (input.push.mesh.disableEnvoyListenerLog) return [];
  return meshLogs(input, { filterSpecifier: { case: "responseFlagFilter", value: { flags: ["NR"] } } });
}

/** The access log of the mesh configuration (`accessLogFile`); none while that is empty. */
export function accessLogs(input: GeneratorInput): MessageInitShape<typeof AccessLogSchema>[] {
  return meshLogs(input);
}

function meshLogs(
  { push }: GeneratorInput,
  filter?: MessageInitShape<typeof AccessLogFilterSchema>,
): MessageInitShape<typeof AccessLogSchema>[] {
  const { accessLogFile: path, accessLogFormat, accessLogEncoding } = push.mesh;
  // JSON comes with the Telemetry API; refusing the whole listener for a log would be worse than a line of text.
  if (path === "" || accessLogEncoding === "JSON") return [];
  const format =
    accessLogFormat === ""
      ? DEFAULT_TEXT_FORMAT
      : accessLogFormat.endsWith("\n")
        ? accessLogFormat
        : `${accessLogFormat}\n`;
  const config = typed(FileAccessLogSchema, {
    path,
    accessLogFormat: {
      case: "logFormat",
      value: { format: { case: "textFormatSource", value: { specifier: { case: "inlineString", value: format } } } },
    },
  });
  const log = { name: "envoy.access_loggers.file", configType: { case: "typedConfig", value: config } } as const;
  return [filter === undefined ? log : { ...log, filter }];
}
