import type { ServerCodecOptions, ServerConnectionFactory } from "./http/connection-manager/codec-options.ts";
import {
  createHttp1ClientCodec,
  createHttp1ServerCodec,
  type Http1ClientCodec,
  type Http1ServerCodec,
} from "./http1/http1-codec.ts";

/** Puts a codec on downstream connections. What the connections of one configuration share is made once for it. */
export function createServerCodecs(): ServerConnectionFactory {
  const codecs = new WeakMap<ServerCodecOptions, Http1ServerCodec>();
  return (transport, callbacks, options) => {
    let codec = codecs.get(options);
    if (codec === undefined) {
      codec = createHttp1ServerCodec({
        clock: options.clock,
        wheel: options.wheel,
        maxHeadBytes: options.maxRequestHeadersBytes,
        // As in Envoy, one limit for the head and all its parts: a service may live on long queries.
        maxRequestLineBytes: options.maxRequestHeadersBytes,
        maxHeaders: options.maxHeadersCount,
        headersWithUnderscores: options.headersWithUnderscores,
        acceptHttp10: options.acceptHttp10,
        defaultHostForHttp10: options.defaultHostForHttp10,
        // A head that never ends must not hold a connection for ever, whatever the configuration leaves out.
        ...(options.requestHeadersTimeout === 0 ? {} : { headersTimeout: options.requestHeadersTimeout }),
        idleTimeout: options.idleTimeout,
        lingerTimeout: options.delayedCloseTimeout,
        maxRequests: options.maxRequestsPerConnection,
      });
      codecs.set(options, codec);
    }
    return codec.serve(transport, callbacks);
  };
}

/** The codec of upstream connections. */
export function createClientCodec(): Http1ClientCodec {
  return createHttp1ClientCodec();
}
