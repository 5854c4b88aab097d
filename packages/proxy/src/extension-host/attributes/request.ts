import { H, HeaderName } from "../../http/header-name.ts";
import type { StreamInfo } from "../../stream/stream-info.ts";
import { type AttributeFamily, type AttributeReader, fields } from "./attribute.ts";

const NANOSECONDS = 1e6;
const REFERER = HeaderName.of("referer");

const FIELDS = fields({
  path: (info) => info.requestHeaders?.get(H.path),
  url_path: (info) => pathPart(info, 0),
  query: (info) => pathPart(info, 1),
  host: (info) => info.requestHeaders?.get(H.authority),
  scheme: (info) => info.requestHeaders?.get(H.scheme),
  method: (info) => info.requestHeaders?.get(H.method),
  referer: (info) => info.requestHeaders?.get(REFERER),
  useragent: (info) => info.requestHeaders?.get(H.userAgent),
  id: (info) => info.requestHeaders?.get(H.xRequestId),
  protocol: (info) => info.protocol || null,
  time: (info) => info.startTime * NANOSECONDS,
  duration: (info) => (info.ended === null ? null : Math.floor((info.ended - info.started) * NANOSECONDS)),
  size: (info) => {
    const length = info.requestHeaders?.getInteger(H.contentLength) ?? -1;
    return length >= 0 ? length : info.bytesReceived;
  },
  total_size: (info, { scope }) => {
    if (info.protocol === "") return info.bytesReceived;
    return scope.messageSizes ? (info.requestHeaders?.byteSize ?? 0) + info.bytesReceived : info.wireBytesReceived;
  },
});

/** `request.…` [telemetry §3.2]. */
export const REQUEST: AttributeFamily = (rest) => {
  if (rest[0] === "headers" || rest[0] === "headers_bytes") return headerReader(rest[1], (info) => info.requestHeaders);
  return FIELDS(rest);
};

function pathPart(info: StreamInfo, part: 0 | 1): string | null {
  const path = info.requestHeaders?.get(H.path) ?? null;
  if (path === null) return null;
  const at = path.indexOf("?");
  if (part === 0) return at < 0 ? path : path.slice(0, at);
  return at < 0 ? "" : path.slice(at + 1);
}

/** One header, several values joined by a comma. */
export function headerReader(
  name: string | undefined,
  section: (info: StreamInfo) => StreamInfo["requestHeaders"],
): AttributeReader | null {
  if (name === undefined || name === "") return null;
  const header = HeaderName.of(name);
  return ({ info }) => (info === null ? null : section(info)?.get(header));
}
