import type { MessageInitShape } from "@bufbuild/protobuf";
import type { ServerDuplexStream } from "@grpc/grpc-js";
import { packAny } from "@mixerless/wire";
import { type Secret, SecretSchema } from "@mixerless/wire/envoy/extensions/transport_sockets/tls/v3/secret";
import type { DiscoveryRequest, DiscoveryResponseSchema } from "@mixerless/wire/envoy/service/discovery/v3/discovery";
import { SecretDiscoveryService } from "@mixerless/wire/envoy/service/secret/v3/sds";
import { createGrpcService, type GrpcService, TypeUrl } from "@mixerless/xds";

const UNIMPLEMENTED = 12;

type Stream = ServerDuplexStream<DiscoveryRequest, MessageInitShape<typeof DiscoveryResponseSchema>>;

/** What an agent serves its Envoy by `sds-grpc`: each secret asked for, once. */
export function secretService(secretNamed: (name: string) => Promise<Secret>): GrpcService {
  const refuse = (call: { emit(event: "error", error: object): boolean }) =>
    call.emit("error", { code: UNIMPLEMENTED, details: "only StreamSecrets" });
  return createGrpcService(SecretDiscoveryService, {
    streamSecrets: (stream) => {
      stream.on("data", (request: DiscoveryRequest) => void answer(stream, request, secretNamed));
      stream.on("end", () => stream.end());
      stream.on("error", () => {});
    },
    deltaSecrets: (stream) => void refuse(stream),
    fetchSecrets: (_call, callback) => callback({ code: UNIMPLEMENTED, details: "only StreamSecrets" }),
  });
}

async function answer(
  stream: Stream,
  { resourceNames, responseNonce }: DiscoveryRequest,
  secretNamed: (name: string) => Promise<Secret>,
): Promise<void> {
  if (responseNonce !== "" || resourceNames.length === 0) return;
  const secrets = await Promise.all(resourceNames.map(secretNamed));
  stream.write({
    versionInfo: "1",
    nonce: "1",
    typeUrl: TypeUrl.secret,
    resources: secrets.map((secret) => packAny(SecretSchema, secret)),
  });
}
