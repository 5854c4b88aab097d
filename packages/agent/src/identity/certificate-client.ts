import { Client, credentials, Metadata } from "@grpc/grpc-js";
import { CONTROL_PLANE_NAME, RENEWAL_HEADER } from "@mixerless/identity";
import { IstioCertificateService } from "@mixerless/wire/istio/ca/certificate_service";
import { grpcMethod } from "@mixerless/xds";

/** How a caller proves who it is: by a token once, or by the certificate that it has. */
export type Proof = { readonly token: string } | { readonly renewal: string };

export interface CertificateRequest {
  /** PEM. */
  readonly csr: string;
  /** Milliseconds; 0 leaves it to the authority. */
  readonly lifetime: number;
  readonly proof: Proof;
  /** PEM of the roots that the authority's own certificate must lead to. */
  readonly roots: string;
}

/** Asks the mesh's authority for a certificate. Answers leaf, intermediates and, last, the roots; PEM. */
export type RequestCertificate = (request: CertificateRequest) => Promise<readonly string[]>;

const TIMEOUT = 10_000;
const METHOD = grpcMethod(IstioCertificateService.method.createCertificate);

/** Asks Istio's certificate service at `target`, `host:port`, by TLS [control-plane §6.6]. */
export function certificateClient(target: string): RequestCertificate {
  return ({ csr, lifetime, proof, roots }) => {
    const metadata = new Metadata();
    if ("token" in proof) metadata.set("authorization", `Bearer ${proof.token}`);
    else metadata.set(RENEWAL_HEADER, proof.renewal);
    // The address may be any; what counts is the name in a certificate under our own root.
    const client = new Client(target, credentials.createSsl(Buffer.from(roots)), {
      "grpc.ssl_target_name_override": CONTROL_PLANE_NAME,
      "grpc.default_authority": CONTROL_PLANE_NAME,
      "grpc.use_local_subchannel_pool": 1,
    });
    const request = { csr, validityDuration: BigInt(Math.floor(lifetime / 1000)) };
    return new Promise<readonly string[]>((resolve, reject) => {
      client.makeUnaryRequest(
        METHOD.path,
        METHOD.requestSerialize,
        METHOD.responseDeserialize,
        request,
        metadata,
        { deadline: Date.now() + TIMEOUT },
        (error, response) => (error === null ? resolve(response?.certChain ?? []) : reject(error)),
      );
    }).finally(() => client.close());
  };
}
