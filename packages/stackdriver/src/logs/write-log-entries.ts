import { create, toBinary } from "@bufbuild/protobuf";
import { DurationSchema, timestampFromMs } from "@bufbuild/protobuf/wkt";
import { MonitoredResourceSchema } from "@mixerless/wire/google/api/monitored_resource";
import { type HttpRequest, HttpRequestSchema } from "@mixerless/wire/google/logging/type/http_request";
import { LogSeverity } from "@mixerless/wire/google/logging/type/log_severity";
import { type LogEntry, LogEntrySchema } from "@mixerless/wire/google/logging/v2/log_entry";
import { WriteLogEntriesRequestSchema } from "@mixerless/wire/google/logging/v2/logging";
import type { LogLine, RequestLine } from "./entry.ts";
import type { LogIdentity } from "./log-identity.ts";

/** `WriteLogEntries` of one log. */
export function encodeLogEntries(
  { project, name, resource, labels }: LogIdentity,
  lines: readonly LogLine[],
): Uint8Array {
  const request = create(WriteLogEntriesRequestSchema, {
    logName: `projects/${project}/logs/${name}`,
    resource: create(MonitoredResourceSchema, { type: resource.type, labels: { ...resource.labels } }),
    labels: { ...labels },
    entries: lines.map(logEntry),
  });
  return toBinary(WriteLogEntriesRequestSchema, request);
}

function logEntry({ insertId, time, shared, labels, text, request, trace }: LogLine): LogEntry {
  return create(LogEntrySchema, {
    ...{ insertId, severity: LogSeverity.INFO, timestamp: timestampFromMs(Math.round(time)) },
    labels: { ...shared, ...labels },
    ...(text === undefined ? {} : { payload: { case: "textPayload", value: text } }),
    ...(request === undefined ? {} : { httpRequest: httpRequest(request) }),
    ...(trace == null ? {} : { ...trace, traceSampled: true }),
  });
}

function httpRequest(line: RequestLine): HttpRequest {
  const { method, url, status, requestBytes, responseBytes, remote, server, latency, ...same } = line;
  return create(HttpRequestSchema, {
    ...same,
    ...{ requestMethod: method, requestUrl: url, status, remoteIp: remote, serverIp: server },
    ...{ requestSize: BigInt(requestBytes), responseSize: BigInt(responseBytes) },
    ...(latency < 0 ? {} : { latency: duration(latency) }),
  });
}

function duration(nanoseconds: number) {
  return create(DurationSchema, {
    seconds: BigInt(Math.floor(nanoseconds / 1e9)),
    nanos: Math.floor(nanoseconds % 1e9),
  });
}
