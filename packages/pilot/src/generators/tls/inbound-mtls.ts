import type { MessageInitShape } from "@bufbuild/protobuf";
import type { TransportSocket } from "@mixerless/wire/envoy/config/core/v3/base";
import {
  SubjectAltNameMatcher_SanType,
  type SubjectAltNameMatcherSchema,
} from "@mixerless/wire/envoy/extensions/transport_sockets/tls/v3/common";
import type { MeshConfigSpec } from "../../config/kinds/mesh-config.ts";
import { SERVED_HTTP } from "./alpn.ts";
import { meshParameters } from "./parameters.ts";
import { agentSecret, MESH_ROOTS, OWN_CERTIFICATE } from "./secret-references.ts";
import { serverSocket } from "./transport-sockets.ts";

/** Mutual TLS of a port of the workload: any identity of the mesh's trust domains may come in [control-plane §6.7, §6.8]. */
export function inboundMtls(mesh: MeshConfigSpec): TransportSocket {
  return serverSocket({
    requireClientCertificate: true,
    commonTlsContext: {
      tlsParams: meshParameters(mesh),
      alpnProtocols: SERVED_HTTP,
      tlsCertificateSdsSecretConfigs: [agentSecret(OWN_CERTIFICATE)],
      validationContextType: {
        case: "combinedValidationContext",
        value: {
          defaultValidationContext: { matchTypedSubjectAltNames: trustedDomains(mesh).map(identityPrefix) },
          validationContextSdsSecretConfig: agentSecret(MESH_ROOTS),
        },
      },
    },
  });
}

function trustedDomains({ trustDomain, trustDomainAliases }: MeshConfigSpec): string[] {
  return [...new Set([trustDomain, ...trustDomainAliases])];
}

function identityPrefix(trustDomain: string): MessageInitShape<typeof SubjectAltNameMatcherSchema> {
  return {
    sanType: SubjectAltNameMatcher_SanType.URI,
    matcher: { matchPattern: { case: "prefix", value: `spiffe://${trustDomain}/` } },
  };
}
