import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { type TransportSocket, TransportSocketSchema } from "@mixerless/wire/envoy/config/core/v3/base";
import { RawBufferSchema } from "@mixerless/wire/envoy/extensions/transport_sockets/raw_buffer/v3/raw_buffer";
import {
  DownstreamTlsContextSchema,
  UpstreamTlsContextSchema,
} from "@mixerless/wire/envoy/extensions/transport_sockets/tls/v3/tls";
import { typed } from "../proto.ts";

const TLS = "envoy.transport_sockets.tls";

export function serverSocket(context: MessageInitShape<typeof DownstreamTlsContextSchema>): TransportSocket {
  return socket(TLS, typed(DownstreamTlsContextSchema, context));
}

export function clientSocket(context: MessageInitShape<typeof UpstreamTlsContextSchema>): TransportSocket {
  return socket(TLS, typed(UpstreamTlsContextSchema, context));
}

export function plainSocket(): TransportSocket {
  return socket("envoy.transport_sockets.raw_buffer", typed(RawBufferSchema, {}));
}

function socket(name: string, value: ReturnType<typeof typed>): TransportSocket {
  return create(TransportSocketSchema, { name, configType: { case: "typedConfig", value } });
}
