import type { MessageInitShape } from "@bufbuild/protobuf";
import type { AccessLogFilterSchema, AccessLogSchema } from "@mixerless/wire/envoy/config/accesslog/v3/accesslog";
import { FileAccessLogSchema } from "@mixerless/wire/envoy/extensions/access_loggers/file/v3/file";
import { ExpressionFilterSchema } from "@mixerless/wire/envoy/extensions/access_loggers/filters/cel/v3/cel";
import { providerNamed } from "../../telemetry/providers.ts";
import type { GeneratorInput } from "../generator-input.ts";
import { typed } from "../proto.ts";
import { type ListenerClass, sideOf, telemetryOf } from "../telemetry-of.ts";
import { meshFormat, providerFormat } from "./log-format.ts";

type AccessLogs = MessageInitShape<typeof AccessLogSchema>[];
type Filter = MessageInitShape<typeof AccessLogFilterSchema>;

/** The file that providers write to when they name none. */
const STDOUT = "/dev/stdout";

/** The logs of the chains of a listener: of Telemetry, or where that says nothing, of the mesh's configuration. */
export function accessLogs(input: GeneratorInput, listenerClass: ListenerClass): AccessLogs {
  return logs(input, listenerClass, []);
}

/**
 * The log of a listener itself: the connections that none of its filter chains takes, which no filter can log
 * [telemetry §6.4].
 */
export function listenerAccessLogs(input: GeneratorInput, listenerClass: ListenerClass): AccessLogs {
  if (input.push.mesh.disableEnvoyListenerLog) return [];
  return logs(input, listenerClass, [{ filterSpecifier: { case: "responseFlagFilter", value: { flags: ["NR"] } } }]);
}

function logs(input: GeneratorInput, listenerClass: ListenerClass, filters: readonly Filter[]): AccessLogs {
  const { mesh } = input.push;
  const effective = telemetryOf(input).accessLogs[sideOf(listenerClass)];
  if (effective === undefined) {
    return mesh.accessLogFile === "" ? [] : [fileLog(mesh.accessLogFile, meshFormat(mesh), filters)];
  }
  return effective.logs.flatMap(({ name, enabled, filter }) => {
    const provider = enabled.value ? providerNamed(mesh, name) : undefined;
    if (provider?.type !== "envoyFileAccessLog") return [];
    const { path } = provider.settings;
    const expressions = filter === undefined ? [] : [expressionFilter(filter.value)];
    const file = typeof path === "string" && path !== "" ? path : STDOUT;
    return [fileLog(file, providerFormat(provider.settings, mesh), [...filters, ...expressions])];
  });
}

function fileLog(path: string, format: ReturnType<typeof meshFormat>, filters: readonly Filter[]): AccessLogs[number] {
  const config = typed(FileAccessLogSchema, { path, accessLogFormat: { case: "logFormat", value: format } });
  const log = { name: "envoy.access_loggers.file", configType: { case: "typedConfig", value: config } } as const;
  const [first] = filters;
  if (first === undefined) return log;
  if (filters.length === 1) return { ...log, filter: first };
  return { ...log, filter: { filterSpecifier: { case: "andFilter", value: { filters: [...filters] } } } };
}

/** Neither what fails nor what is not `true` is logged. */
function expressionFilter(expression: string): Filter {
  const value = {
    name: "envoy.access_loggers.extension_filters.cel",
    configType: { case: "typedConfig", value: typed(ExpressionFilterSchema, { expression }) },
  } as const;
  return { filterSpecifier: { case: "extensionFilter", value } };
}
