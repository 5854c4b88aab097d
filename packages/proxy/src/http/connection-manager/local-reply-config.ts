import type { SubstitutionFormatString } from "@mixerless/wire/envoy/config/core/v3/substitution_format_string";
import type {
  LocalReplyConfig,
  ResponseMapper,
} from "@mixerless/wire/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager";
import type { LogParts } from "../../access-log/access-logger.ts";
import { compileSubstitution, inlineText } from "../../access-log/format/compile-format.ts";
import { compileLogFilter, type LogFilter } from "../../access-log/log-filter.ts";
import type { ConfigFault } from "../../network/config-fault.ts";
import type { StreamInfo } from "../../stream/stream-info.ts";
import type { HeaderMap } from "../header-map.ts";
import { H } from "../header-name.ts";
import type { LocalReply } from "../http-filter.ts";
import { compileHeaderMutations, type HeaderMutations } from "../routing/header-mutations.ts";

/** Changes replies that the proxy makes itself: `local_reply_config`. */
export type LocalReplyChange = (reply: LocalReply, info: StreamInfo) => LocalReply;

/** What is needed to compile them. */
export type LocalReplyParts = Pick<LogParts, "clock" | "expressions">;

interface Mapper {
  readonly matches: LogFilter;
  /** Null: as it is. */
  readonly status: number | null;
  readonly body: string | null;
  readonly format: BodyFormat | null;
  readonly headers: HeaderMutations;
}

interface BodyFormat {
  readonly print: (info: StreamInfo) => string;
  readonly contentType: string;
}

/** Null where nothing is configured. */
export function compileLocalReplyConfig(
  config: LocalReplyConfig | undefined,
  parts: LocalReplyParts,
  faults: ConfigFault[],
): LocalReplyChange | null {
  if (config === undefined) return null;
  const mappers = config.mappers.map((mapper, i) =>
    compileMapper(mapper, `localReplyConfig.mappers[${i}]`, parts, faults),
  );
  const format = compileBody(config.bodyFormat, "localReplyConfig.bodyFormat", parts, faults);
  return (reply, info) => {
    info.responseCode = reply.status;
    info.localReplyBody = reply.body;
    const mapper = mappers.find(({ matches }) => matches(info));
    return changed(reply, info, mapper, mapper?.format ?? format);
  };
}

function compileMapper(mapper: ResponseMapper, path: string, parts: LocalReplyParts, faults: ConfigFault[]): Mapper {
  if (mapper.filter === undefined) faults.push({ path: `${path}.filter`, message: "is needed" });
  return {
    matches:
      mapper.filter === undefined
        ? () => false
        : compileLogFilter(mapper.filter, parts.expressions, `${path}.filter`, faults),
    status: mapper.statusCode ?? null,
    body: mapper.body === undefined ? null : bytes(inlineText(mapper.body, `${path}.body`, faults)),
    format: compileBody(mapper.bodyFormatOverride, `${path}.bodyFormatOverride`, parts, faults),
    headers: compileHeaderMutations(mapper.headersToAdd, [], parts.clock, `${path}.headersToAdd`, faults),
  };
}

function compileBody(
  format: SubstitutionFormatString | undefined,
  path: string,
  parts: LocalReplyParts,
  faults: ConfigFault[],
): BodyFormat | null {
  if (format === undefined) return null;
  const json = format.format.case === "jsonFormat";
  return {
    print: compileSubstitution(format, parts, path, faults),
    contentType: format.contentType === "" ? (json ? "application/json" : "text/plain") : format.contentType,
  };
}

function changed(
  reply: LocalReply,
  info: StreamInfo,
  mapper: Mapper | undefined,
  format: BodyFormat | null,
): LocalReply {
  if (mapper === undefined && format === null) return reply;
  const status = mapper?.status ?? reply.status;
  const body = mapper?.body ?? reply.body;
  info.responseCode = status;
  info.localReplyBody = body;
  return {
    ...reply,
    status,
    body: format === null ? body : format.print(info),
    edit: (headers: HeaderMap) => {
      if (format !== null && headers.has(H.contentLength)) headers.set(H.contentType, format.contentType);
      reply.edit?.(headers);
      mapper?.headers.apply(headers, info);
    },
  };
}

function bytes(text: string): string {
  return Buffer.from(text, "utf8").toString("latin1");
}
