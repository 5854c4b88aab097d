import type { HeaderMap } from "../../../http/header-map.ts";
import { H, HeaderName } from "../../../http/header-name.ts";
import type { StreamInfo } from "../../../stream/stream-info.ts";
import { type Operator, type OperatorTable, plain } from "../operator.ts";

type Section = (info: StreamInfo) => HeaderMap | null;

const request: Section = (info) => info.requestHeaders;
const response: Section = (info) => info.responseHeaders;
const trailers: Section = (info) => info.responseTrailers;

/** Values and sizes of header sections. `X?Y`: Y where X is absent. */
export const HEADER_OPERATORS: OperatorTable = {
  REQ: header(request),
  REQUEST_HEADER: header(request),
  RESP: header(response),
  RESPONSE_HEADER: header(response),
  TRAILER: header(trailers),
  RESPONSE_TRAILER: header(trailers),
  REQ_WITHOUT_QUERY: (args) => {
    const read = header(request)(args);
    return typeof read === "string" ? read : (info) => withoutQuery(read(info));
  },
  PATH: pathOperator,
  QUERY_PARAM: queryParameterOperator,
  REQUEST_HEADERS_BYTES: plain((info) => info.requestHeaders?.byteSize ?? 0),
  RESPONSE_HEADERS_BYTES: plain((info) => info.responseHeaders?.byteSize ?? 0),
  RESPONSE_TRAILERS_BYTES: plain((info) => info.responseTrailers?.byteSize ?? 0),
};

function header(section: Section) {
  return (args: string | null): Operator | string => {
    if (args === null || args === "") return "needs the name of a header";
    const [first = "", second, ...more] = args.split("?");
    if (first === "" || more.length > 0) return "takes one name, or two joined by ?";
    const name = HeaderName.of(first);
    if (second === undefined) return (info) => section(info)?.get(name) ?? null;
    const other = HeaderName.of(second);
    return (info) => {
      const headers = section(info);
      return headers?.get(name) ?? headers?.get(other) ?? null;
    };
  };
}

function withoutQuery<T>(value: T): T | string {
  if (typeof value !== "string") return value;
  const query = value.indexOf("?");
  return query < 0 ? value : value.slice(0, query);
}

function pathOperator(args: string | null): Operator | string {
  const [query = "WQ", source = "ORIG_OR_PATH"] = (args ?? "").split(":").map((part) => part || undefined);
  if (query !== "WQ" && query !== "NQ") return "takes WQ or NQ first";
  const names =
    source === "ORIG" ? [H.xEnvoyOriginalPath] : source === "PATH" ? [H.path] : [H.xEnvoyOriginalPath, H.path];
  if (!["ORIG", "PATH", "ORIG_OR_PATH"].includes(source)) return "takes ORIG, PATH or ORIG_OR_PATH second";
  return (info) => {
    for (const name of names) {
      const path = info.requestHeaders?.get(name) ?? null;
      if (path !== null) return query === "NQ" ? withoutQuery(path) : path;
    }
    return null;
  };
}

function queryParameterOperator(args: string | null): Operator | string {
  if (args === null || args === "") return "needs the name of a parameter";
  return (info) => {
    const path = info.requestHeaders?.get(H.path) ?? "";
    const query = path.indexOf("?");
    if (query < 0) return null;
    for (const pair of path.slice(query + 1).split("&")) {
      const equals = pair.indexOf("=");
      if ((equals < 0 ? pair : pair.slice(0, equals)) === args) return equals < 0 ? "" : pair.slice(equals + 1);
    }
    return null;
  };
}
