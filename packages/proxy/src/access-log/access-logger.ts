import { fromBinary } from "@bufbuild/protobuf";
import type { Clock } from "@mixerless/clock";
import type { AccessLog } from "@mixerless/wire/envoy/config/accesslog/v3/accesslog";
import { type FileAccessLog, FileAccessLogSchema } from "@mixerless/wire/envoy/extensions/access_loggers/file/v3/file";
import {
  StderrAccessLogSchema,
  StdoutAccessLogSchema,
} from "@mixerless/wire/envoy/extensions/access_loggers/stream/v3/stream";
import type { ConfigFault } from "../network/config-fault.ts";
import type { StreamInfo } from "../stream/stream-info.ts";
import { compileJson, compileSubstitution, compileText, DEFAULT_TEXT_FORMAT } from "./format/compile-format.ts";
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

interface Target {
  readonly path: string;
  readonly format: LineFormat;
}

/** Compiles an `access_log` list. Sinks: file, stdout, stderr; others give a fault. */
export function compileAccessLoggers(
  logs: readonly AccessLog[],
  sinks: AccessLogSinks,
  clock: Clock,
  path: string,
  faults: ConfigFault[],
): readonly AccessLogger[] {
  const loggers: AccessLogger[] = [];
  for (const [i, log] of logs.entries()) {
    const at = `${path}[${i}]`;
    const target = compileTarget(log, clock, at, faults);
    const filter = log.filter === undefined ? null : compileLogFilter(log.filter, `${at}.filter`, faults);
    if (target !== null) loggers.push(new AccessLogger(filter, target.format, sinks.file(target.path)));
  }
  return loggers;
}

function compileTarget(log: AccessLog, clock: Clock, path: string, faults: ConfigFault[]): Target | null {
  const any = log.configType.case === "typedConfig" ? log.configType.value : null;
  const at = `${path}.typed_config`;
  const type = any?.typeUrl.slice(any.typeUrl.lastIndexOf("/") + 1) ?? "";
  try {
    switch (type) {
      case FileAccessLogSchema.typeName: {
        const file = fromBinary(FileAccessLogSchema, any?.value ?? new Uint8Array());
        return { path: file.path, format: fileFormat(file, clock, at, faults) };
      }
      case StdoutAccessLogSchema.typeName:
      case StderrAccessLogSchema.typeName: {
        const out = fromBinary(StdoutAccessLogSchema, any?.value ?? new Uint8Array());
        const format = out.accessLogFormat.case === "logFormat" ? out.accessLogFormat.value : null;
        return {
          path: type === StdoutAccessLogSchema.typeName ? "/dev/stdout" : "/dev/stderr",
          format:
            format === null
              ? compileText(DEFAULT_TEXT_FORMAT, clock, at, faults)
              : compileSubstitution(format, clock, `${at}.log_format`, faults),
        };
      }
      default:
        faults.push({
          path: at,
          message: `the access logger ${type || "(empty)"} is not supported; use file, stdout or stderr`,
        });
    }
  } catch (error) {
    faults.push({ path: at, message: `${type} cannot be decoded: ${String(error)}` });
  }
  return null;
}

function fileFormat(file: FileAccessLog, clock: Clock, path: string, faults: ConfigFault[]): LineFormat {
  if (file.path === "") faults.push({ path: `${path}.path`, message: "a file needs a path" });
  const format = file.accessLogFormat;
  switch (format.case) {
    case "logFormat":
      return compileSubstitution(format.value, clock, `${path}.log_format`, faults);
    case "jsonFormat":
      return compileJson(format.value, false, clock, `${path}.json_format`, faults);
    case "typedJsonFormat":
      return compileJson(format.value, false, clock, `${path}.typed_json_format`, faults);
    default:
      return compileText(
        format.case === "format" && format.value !== "" ? format.value : DEFAULT_TEXT_FORMAT,
        clock,
        `${path}.format`,
        faults,
      );
  }
}
