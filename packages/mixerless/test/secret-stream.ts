import { fromBinary } from "@bufbuild/protobuf";
import { Client, type ClientDuplexStream, credentials } from "@grpc/grpc-js";
import { splitCertificates } from "@mixerless/identity";
import { SecretSchema } from "@mixerless/wire/envoy/extensions/transport_sockets/tls/v3/secret";
import type { DiscoveryRequest, DiscoveryResponse } from "@mixerless/wire/envoy/service/discovery/v3/discovery";
import { SecretDiscoveryService } from "@mixerless/wire/envoy/service/secret/v3/sds";
import { grpcMethod, TypeUrl } from "@mixerless/xds";

/** Asks for secrets as an Envoy does, and takes what comes. */
export class SecretStream {
  /** Number of certificates that came. */
  certificates = 0;
  #roots = 0;
  readonly #client: Client;
  readonly #waiting = new Set<() => void>();

  constructor(socket: string) {
    this.#client = new Client(`unix:${socket}`, credentials.createInsecure());
    for (const name of ["default", "ROOTCA"]) this.#ask(name);
  }

  /** Resolves when the number of roots is as wanted. */
  async whenRoots(wanted: (count: number) => boolean): Promise<void> {
    while (!wanted(this.#roots)) await new Promise<void>((wake) => this.#waiting.add(wake));
  }

  close(): void {
    this.#client.close();
  }

  #ask(name: string): void {
    const { path, requestSerialize, responseDeserialize } = grpcMethod(SecretDiscoveryService.method.streamSecrets);
    const call = this.#client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize);
    const stream = call as unknown as ClientDuplexStream<Partial<DiscoveryRequest>, DiscoveryResponse>;
    const request = { typeUrl: TypeUrl.secret, resourceNames: [name] };
    stream.on("error", () => {});
    stream.on("data", (response: DiscoveryResponse) => {
      this.#take(response);
      stream.write({ ...request, versionInfo: response.versionInfo, responseNonce: response.nonce });
    });
    stream.write({ ...request, node: { id: "sidecar~127.0.0.1~test.default~default.svc.cluster.local" } as never });
  }

  #take({ resources }: DiscoveryResponse): void {
    for (const { value } of resources) {
      const { type } = fromBinary(SecretSchema, value);
      if (type.case === "tlsCertificate") this.certificates++;
      const roots = type.case === "validationContext" ? type.value.trustedCa?.specifier.value : undefined;
      if (roots !== undefined) this.#roots = splitCertificates(Buffer.from(roots as Uint8Array).toString()).length;
    }
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }
}
