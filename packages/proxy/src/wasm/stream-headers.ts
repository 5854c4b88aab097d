import { HeaderMapType } from "@mixerless/wasm";
import type { HeaderMap } from "../http/header-map.ts";
import type { StreamInfo } from "../stream/stream-info.ts";

/** The header maps of a stream by the numbers of Proxy-Wasm. */
export function streamHeaders(info: StreamInfo, map: number): HeaderMap | null {
  switch (map) {
    case HeaderMapType.RequestHeaders:
      return info.requestHeaders;
    case HeaderMapType.RequestTrailers:
      return info.requestTrailers;
    case HeaderMapType.ResponseHeaders:
      return info.responseHeaders;
    case HeaderMapType.ResponseTrailers:
      return info.responseTrailers;
    default:
      return null;
  }
}
