import { create } from "@bufbuild/protobuf";
import { AnySchema } from "@bufbuild/protobuf/wkt";
import { compileMetadataMatcher } from "@mixerless/matchers";
import { typeNameOfUrl, unpackAnyAs } from "@mixerless/wire";
import type {
  AccessLogFilter,
  ComparisonFilter,
  ExtensionFilter,
  MetadataFilter,
} from "@mixerless/wire/envoy/config/accesslog/v3/accesslog";
import { ComparisonFilter_Op } from "@mixerless/wire/envoy/config/accesslog/v3/accesslog";
import { ExpressionFilterSchema } from "@mixerless/wire/envoy/extensions/access_loggers/filters/cel/v3/cel";
import type { StreamExpressions } from "../expression/stream-expressions.ts";
import { grpcStatusOf } from "../http/grpc.ts";
import { compileHeaderMatcher, type HeaderMatch } from "../http/routing/header-matcher.ts";
import { addFaults, type ConfigFault } from "../network/config-fault.ts";
import { responseFlagOf } from "../stream/response-flags.ts";
import type { StreamInfo } from "../stream/stream-info.ts";

/** True for the streams that are to be logged. */
export type LogFilter = (info: StreamInfo) => boolean;

/** Compiles an access log filter. Kinds that are not supported give a fault, never a filter that lets all pass. */
export function compileLogFilter(
  filter: AccessLogFilter,
  expressions: StreamExpressions,
  path: string,
  faults: ConfigFault[],
): LogFilter {
  const specifier = filter.filterSpecifier;
  switch (specifier.case) {
    case "statusCodeFilter":
      return comparison(specifier.value.comparison, (info) => info.responseCode);
    case "durationFilter":
      return comparison(specifier.value.comparison, (info) => Math.floor((info.ended ?? info.started) - info.started));
    case "notHealthCheckFilter":
      // Health checks are marked by a filter that this proxy does not have: nothing is one.
      return () => true;
    case "responseFlagFilter":
      return responseFlags(specifier.value.flags, `${path}.responseFlagFilter.flags`, faults);
    case "headerFilter":
      return header(specifier.value.header, `${path}.headerFilter.header`, faults);
    case "metadataFilter":
      return metadata(specifier.value, `${path}.metadataFilter`, faults);
    case "grpcStatusFilter": {
      const { statuses, exclude } = specifier.value;
      return (info) => statuses.some((status) => status === grpcStatusOf(info)) !== exclude;
    }
    case "andFilter": {
      const all = compileAll(specifier.value.filters, expressions, `${path}.andFilter`, faults);
      return (info) => all.every((one) => one(info));
    }
    case "orFilter": {
      const any = compileAll(specifier.value.filters, expressions, `${path}.orFilter`, faults);
      return (info) => any.some((one) => one(info));
    }
    case "extensionFilter":
      return extension(specifier.value, expressions, path, faults);
    default:
      faults.push({ path, message: `the access log filter ${specifier.case ?? "(empty)"} is not supported` });
      return () => false;
  }
}

function compileAll(
  filters: readonly AccessLogFilter[],
  expressions: StreamExpressions,
  path: string,
  faults: ConfigFault[],
): readonly LogFilter[] {
  return filters.map((filter, i) => compileLogFilter(filter, expressions, `${path}.filters[${i}]`, faults));
}

/** The one extension filter that there is: a CEL expression. What is not true, also for want of a value, is not logged. */
function extension(
  filter: ExtensionFilter,
  expressions: StreamExpressions,
  path: string,
  faults: ConfigFault[],
): LogFilter {
  const at = `${path}.extensionFilter.typedConfig`;
  const any = filter.configType.case === "typedConfig" ? filter.configType.value : create(AnySchema);
  if (typeNameOfUrl(any.typeUrl) !== ExpressionFilterSchema.typeName) {
    const message = `the extension filter ${filter.name} (${any.typeUrl || "empty"}) is not supported; use a CEL expression`;
    faults.push({ path: at, message });
    return () => false;
  }
  const unpacked = unpackAnyAs(any, ExpressionFilterSchema);
  if (unpacked.faults !== undefined) {
    addFaults(faults, at, unpacked.faults);
    return () => false;
  }
  const { evaluate, problem } = expressions.compile(unpacked.message.expression, "access_log");
  if (problem !== undefined) faults.push({ path: `${at}.expression`, message: problem });
  return evaluate === undefined ? () => false : (info) => evaluate(info) === true;
}

function comparison(config: ComparisonFilter | undefined, read: (info: StreamInfo) => number): LogFilter {
  const bound = config?.value?.defaultValue ?? 0;
  switch (config?.op) {
    case ComparisonFilter_Op.GE:
      return (info) => read(info) >= bound;
    case ComparisonFilter_Op.LE:
      return (info) => read(info) <= bound;
    default:
      return (info) => read(info) === bound;
  }
}

/** Without a list: any flag at all. */
function responseFlags(names: readonly string[], path: string, faults: ConfigFault[]): LogFilter {
  let mask = 0;
  for (const [i, name] of names.entries()) {
    const bit = responseFlagOf(name);
    if (bit === null) faults.push({ path: `${path}[${i}]`, message: `${name} is not a response flag` });
    else mask |= bit;
  }
  return names.length === 0 ? (info) => info.responseFlags !== 0 : (info) => (info.responseFlags & mask) !== 0;
}

/** What filters noted; a value that is not there matches unless it is said otherwise, as in Envoy. */
function metadata({ matcher, matchIfKeyNotFound }: MetadataFilter, path: string, faults: ConfigFault[]): LogFilter {
  if (matcher === undefined) {
    faults.push({ path: `${path}.matcher`, message: "is needed" });
    return () => false;
  }
  const { filter, test, find } = compileMetadataMatcher(matcher, `${path}.matcher`, faults);
  return ({ dynamicMetadata }) => {
    const noted = dynamicMetadata?.[filter];
    return find(noted) === undefined ? (matchIfKeyNotFound ?? true) : test(noted);
  };
}

function header(
  config: Parameters<typeof compileHeaderMatcher>[0] | undefined,
  path: string,
  faults: ConfigFault[],
): LogFilter {
  if (config === undefined) {
    faults.push({ path, message: "a header matcher is needed" });
    return () => false;
  }
  const match: HeaderMatch = compileHeaderMatcher(config, path, faults);
  return (info) => info.requestHeaders !== null && match(info.requestHeaders);
}
