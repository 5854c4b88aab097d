import { create } from "@bufbuild/protobuf";
import { AnySchema } from "@bufbuild/protobuf/wkt";
import { typeNameOfUrl, unpackAnyAs } from "@mixerless/wire";
import type { AccessLog } from "@mixerless/wire/envoy/config/accesslog/v3/accesslog";
import { type FileAccessLog, FileAccessLogSchema } from "@mixerless/wire/envoy/extensions/access_loggers/file/v3/file";
import {
  type StderrAccessLog,
  StderrAccessLogSchema,
  type StdoutAccessLog,
  StdoutAccessLogSchema,
} from "@mixerless/wire/envoy/extensions/access_loggers/stream/v3/stream";
import type { StreamExpressions } from "../expression/stream-expressions.ts";
import { addFaults, type ConfigFault } from "../network/config-fault.ts";
import type { StreamInfo } from "../stream/stream-info.ts";
import { compileJson, compileSubstitution, compileText, DEFAULT_TEXT_FORMAT } from "./format/compile-format.ts";
import type { FormatParts } from "./format/operator.ts";
import type { LineFormat } from "./format/text-format.ts";
import { compileLogFilter, type LogFilter } from "./log-filter.ts";
import type { AccessLogSink, AccessLogSinks } from "./sink.ts";

/** Writes a line for each finished stream that its filter lets pass. */
export class AccessLogger {
  readonly #filter: LogFilter | null;
  readonly #format: LineFormat;
  readonly #sink: AccessLogSink;

  constructor(filter: LogFilter | null, format: LineFormat, sink: AccessLogSink) {
    this.#filter = filter;
    this.#format = format;
    this.#sink = sink;
  }

  log(info: StreamInfo): void {
    if (this.#filter === null || this.#filter(info)) this.#sink.write(this.#format(info));
  }
}

/** What loggers are made with. */
export interface LogParts extends FormatParts {
  readonly accessLogs: AccessLogSinks;
  readonly expressions: StreamExpressions;
}

interface Target {
  readonly path: string;
  readonly format: LineFormat;
}

/** Compiles an `access_log` list. Sinks: file, stdout, stderr; others give a fault. */
export function compileAccessLoggers(
  logs: readonly AccessLog[],
  parts: LogParts,
  path: string,
  faults: ConfigFault[],
): readonly AccessLogger[] {
  const loggers: AccessLogger[] = [];
  for (const [i, log] of logs.entries()) {
    const at = `${path}[${i}]`;
    const target = compileTarget(log, parts, at, faults);
    const filter =
      log.filter === undefined ? null : compileLogFilter(log.filter, parts.expressions, `${at}.filter`, faults);
    if (target !== null) loggers.push(new AccessLogger(filter, target.format, parts.accessLogs.file(target.path)));
  }
  return loggers;
}

function compileTarget(log: AccessLog, parts: LogParts, path: string, faults: ConfigFault[]): Target | null {
  const any = log.configType.case === "typedConfig" ? log.configType.value : create(AnySchema);
  const at = `${path}.typedConfig`;
  const type = typeNameOfUrl(any.typeUrl);
  switch (type) {
    case FileAccessLogSchema.typeName: {
      const file = unpackAnyAs(any, FileAccessLogSchema);
      if (file.faults === undefined)
        return { path: file.message.path, format: fileFormat(file.message, parts, at, faults) };
      addFaults(faults, at, file.faults);
      return null;
    }
    case StdoutAccessLogSchema.typeName: {
      const out = unpackAnyAs(any, StdoutAccessLogSchema);
      if (out.faults === undefined)
        return { path: "/dev/stdout", format: streamFormat(out.message, parts, at, faults) };
      addFaults(faults, at, out.faults);
      return null;
    }
    case StderrAccessLogSchema.typeName: {
      const out = unpackAnyAs(any, StderrAccessLogSchema);
      if (out.faults === undefined)
        return { path: "/dev/stderr", format: streamFormat(out.message, parts, at, faults) };
      addFaults(faults, at, out.faults);
      return null;
    }
    default:
      faults.push({
        path: at,
        message: `the access logger ${type || "(empty)"} is not supported; use file, stdout or stderr`,
      });
      return null;
  }
}

function streamFormat(
  log: StdoutAccessLog | StderrAccessLog,
  parts: FormatParts,
  path: string,
  faults: ConfigFault[],
): LineFormat {
  const format = log.accessLogFormat;
  return format.case === "logFormat"
    ? compileSubstitution(format.value, parts, `${path}.logFormat`, faults)
    : compileText(DEFAULT_TEXT_FORMAT, parts, path, faults);
}

function fileFormat(file: FileAccessLog, parts: FormatParts, path: string, faults: ConfigFault[]): LineFormat {
  const format = file.accessLogFormat;
  switch (format.case) {
    case "logFormat":
      return compileSubstitution(format.value, parts, `${path}.logFormat`, faults);
    case "jsonFormat":
      return compileJson(format.value, false, parts, `${path}.jsonFormat`, faults);
    case "typedJsonFormat":
      return compileJson(format.value, false, parts, `${path}.typedJsonFormat`, faults);
    default:
      return compileText(
        format.case === "format" && format.value !== "" ? format.value : DEFAULT_TEXT_FORMAT,
        parts,
        `${path}.format`,
        faults,
      );
  }
}
