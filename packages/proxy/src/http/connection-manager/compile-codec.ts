import { HttpProtocolOptions_HeadersWithUnderscoresAction as Underscores } from "@mixerless/wire/envoy/config/core/v3/protocol";
import {
  HttpConnectionManager_CodecType as CodecType,
  type HttpConnectionManager,
} from "@mixerless/wire/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager";
import type { ConfigFault } from "../../network/config-fault.ts";
import type { FilterChainContext } from "../../network/context.ts";
import { milliseconds } from "../routing/duration.ts";
import type { ServerCodecOptions } from "./codec-options.ts";

/** What the connection manager says about the wire format, with Envoy's defaults. */
export function compileCodecOptions(
  message: HttpConnectionManager,
  context: FilterChainContext,
  faults: ConfigFault[],
): ServerCodecOptions {
  const common = message.commonHttpProtocolOptions;
  const http1 = message.httpProtocolOptions;
  if (http1?.allowChunkedLength) {
    faults.push({
      path: "httpProtocolOptions.allowChunkedLength",
      message: "is not supported: a request with content-length and transfer-encoding is always refused",
    });
  }
  return {
    codec: codecOf(message.codecType, faults),
    maxRequestHeadersBytes: (message.maxRequestHeadersKb ?? 60) * 1024,
    maxHeadersCount: common?.maxHeadersCount ?? 100,
    acceptHttp10: http1?.acceptHttp10 ?? false,
    defaultHostForHttp10: http1?.defaultHostForHttp10 || null,
    headersWithUnderscores: underscores(common?.headersWithUnderscoresAction),
    requestHeadersTimeout: milliseconds(message.requestHeadersTimeout) ?? 0,
    delayedCloseTimeout: milliseconds(message.delayedCloseTimeout) ?? 1000,
    idleTimeout: milliseconds(common?.idleTimeout) ?? 3_600_000,
    maxRequestsPerConnection: common?.maxRequestsPerConnection ?? 0,
    clock: context.clock,
    wheel: context.wheel,
  };
}

function codecOf(type: CodecType, faults: ConfigFault[]): ServerCodecOptions["codec"] {
  switch (type) {
    case CodecType.HTTP1:
      return "http1";
    case CodecType.HTTP2:
      return "http2";
    case CodecType.HTTP3:
      faults.push({ path: "codecType", message: "HTTP/3 is not supported" });
      return "auto";
    default:
      return "auto";
  }
}

function underscores(action: Underscores | undefined): ServerCodecOptions["headersWithUnderscores"] {
  if (action === Underscores.REJECT_REQUEST) return "reject";
  return action === Underscores.DROP_HEADER ? "drop" : "allow";
}
