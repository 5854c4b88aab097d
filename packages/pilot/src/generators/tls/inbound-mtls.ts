import type { TransportSocket } from "@mixerless/wire/envoy/config/core/v3/base";
import type { MeshConfigSpec } from "../../config/kinds/mesh-config.ts";
import type { GeneratorInput } from "../generator-input.ts";
import { meshParameters } from "./parameters.ts";
import { meshRoots, ownCertificate } from "./secret-references.ts";
import { identityPrefix } from "./subject-names.ts";
import { serverSocket } from "./transport-sockets.ts";

/** Mutual TLS of a port of the workload: any identity of the mesh's trust domains may come in [control-plane §6.7, §6.8]. */
export function inboundMtls(
  { proxy, push }: Pick<GeneratorInput, "proxy" | "push">,
  served: readonly string[],
): TransportSocket {
  const { mesh } = push;
  return serverSocket({
    requireClientCertificate: true,
    commonTlsContext: {
      tlsParams: meshParameters(mesh),
      alpnProtocols: [...served],
      tlsCertificateSdsSecretConfigs: [ownCertificate(proxy, "SERVER")],
      validationContextType: {
        case: "combinedValidationContext",
        value: {
          defaultValidationContext: { matchTypedSubjectAltNames: trustedDomains(mesh).map(identityPrefix) },
          validationContextSdsSecretConfig: meshRoots(proxy, "SERVER"),
        },
      },
    },
  });
}

function trustedDomains({ trustDomain, trustDomainAliases }: MeshConfigSpec): string[] {
  return [...new Set([trustDomain, ...trustDomainAliases])];
}
