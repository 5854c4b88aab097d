import { create } from "@bufbuild/protobuf";
import { AnySchema } from "@bufbuild/protobuf/wkt";
import { unpackAnyAs } from "@mixerless/wire";
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
import { configuredType } from "../network/configured-type.ts";
import type { StreamInfo } from "../stream/stream-info.ts";
import { compilePluginLogger, isPluginLogger, type PluginLogParts } from "../wasm/plugin-logger.ts";
import { compileJson, compileSubstitution, compileText, DEFAULT_TEXT_FORMAT } from "./format/compile-format.ts";
import type { FormatParts } from "./format/operator.ts";
import type { LineFormat } from "./format/text-format.ts";
import { compileLogFilter, type LogFilter } from "./log-filter.ts";
import type { AccessLogSinks } from "./sink.ts";

/** Hears of each finished stream. */
export interface AccessLogger {
  log(info: StreamInfo): void;
  /** Its list is no longer in use. */
  close(): void;
}

/** What loggers are made with. */
export interface LogParts extends FormatParts, PluginLogParts {
  readonly accessLogs: AccessLogSinks;
  readonly expressions: StreamExpressions;
}

/** Compiles an `access_log` list. Sinks: file, stdout, stderr, Wasm plugins; others give a fault. */
export function compileAccessLoggers(
  logs: readonly AccessLog[],
  parts: LogParts,
  path: string,
  faults: ConfigFault[],
): readonly AccessLogger[] {
  const loggers: AccessLogger[] = [];
  for (const [i, log] of logs.entries()) {
    const at = `${path}[${i}]`;
    const before = faults.length;
    const target = compileTarget(log, parts, i, at, faults);
    const filter =
      log.filter === undefined ? null : compileLogFilter(log.filter, parts.expressions, `${at}.filter`, faults);
    if (target === null) continue;
    if (faults.length > before) target.close();
    else loggers.push(filter === null ? target : filtered(filter, target));
  }
  return loggers;
}

function filtered(filter: LogFilter, target: AccessLogger): AccessLogger {
  return {
    log(info) {
      if (filter(info)) target.log(info);
    },
    close: () => target.close(),
  };
}

/** Writes a line for each stream. */
function lines(path: string, format: LineFormat, sinks: AccessLogSinks): AccessLogger {
  const sink = sinks.file(path);
  return {
    log: (info) => sink.write(format(info)),
    close: () => {},
  };
}

function compileTarget(
  log: AccessLog,
  parts: LogParts,
  index: number,
  path: string,
  faults: ConfigFault[],
): AccessLogger | null {
  const any = log.configType.case === "typedConfig" ? log.configType.value : create(AnySchema);
  const at = `${path}.typedConfig`;
  const type = configuredType(any);
  if (isPluginLogger(type)) return compilePluginLogger(any, index, parts, at, faults);
  switch (type) {
    case FileAccessLogSchema.typeName: {
      const file = unpackAnyAs(any, FileAccessLogSchema);
      if (file.faults === undefined)
        return lines(file.message.path, fileFormat(file.message, parts, at, faults), parts.accessLogs);
      addFaults(faults, at, file.faults);
      return null;
    }
    case StdoutAccessLogSchema.typeName: {
      const out = unpackAnyAs(any, StdoutAccessLogSchema);
      if (out.faults === undefined)
        return lines("/dev/stdout", streamFormat(out.message, parts, at, faults), parts.accessLogs);
      addFaults(faults, at, out.faults);
      return null;
    }
    case StderrAccessLogSchema.typeName: {
      const out = unpackAnyAs(any, StderrAccessLogSchema);
      if (out.faults === undefined)
        return lines("/dev/stderr", streamFormat(out.message, parts, at, faults), parts.accessLogs);
      addFaults(faults, at, out.faults);
      return null;
    }
    default:
      faults.push({
        path: at,
        message: `the access logger ${type || "(empty)"} is not supported; use file, stdout, stderr or wasm`,
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
