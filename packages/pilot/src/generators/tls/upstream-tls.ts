import { create } from "@bufbuild/protobuf";
import { type Cluster, ClusterSchema } from "@mixerless/wire/envoy/config/cluster/v3/cluster";
import type { TransportSocket } from "@mixerless/wire/envoy/config/core/v3/base";
import type { ClientTlsSettings } from "../../config/kinds/destination-rule.ts";
import { namespaceMtls } from "../../model/effective-mtls.ts";
import type { Service, ServicePort } from "../../model/service.ts";
import { from, type Provenance } from "../generated.ts";
import type { GeneratorInput } from "../generator-input.ts";
import { isHttp } from "../is-http.ts";
import { sniClusterName } from "../names.ts";
import { hasOwnFilters } from "../telemetry-filters.ts";
import { MESH_HTTP, MESH_TCP, MESH_TCP_EXCHANGE } from "./alpn.ts";
import { hasIdentity } from "./mesh-identity.ts";
import { originationSocket } from "./origination.ts";
import { CLIENT_PARAMETERS } from "./parameters.ts";
import { meshRoots, ownCertificate } from "./secret-references.ts";
import { exactName } from "./subject-names.ts";
import { clientSocket, plainSocket } from "./transport-sockets.ts";

/** The cluster of one port and subset of a service, as its TLS sees it. */
export interface ClusterTarget {
  readonly service: Service;
  readonly port: ServicePort;
  readonly subset: string;
}

/** How a cluster speaks to its endpoints: as the DestinationRule says, else by what each endpoint can do [§7.6]. */
export function applyUpstreamTls(
  cluster: Cluster,
  input: GeneratorInput,
  target: ClusterTarget,
  settings: ClientTlsSettings | undefined,
): void {
  if (settings === undefined) {
    if (notAutomatic(input, target.service) === null) cluster.transportSocketMatches = automatic(input, target);
    return;
  }
  switch (settings.mode) {
    case "DISABLE":
      return;
    case "ISTIO_MUTUAL":
      cluster.transportSocket = meshSocket(input, target, settings);
      return;
    default:
      cluster.transportSocket = originationSocket(target.service, settings);
  }
}

/** Endpoints that say that they can get mutual TLS, all others plaintext. */
function automatic(input: GeneratorInput, target: ClusterTarget): Cluster["transportSocketMatches"] {
  return create(ClusterSchema, {
    transportSocketMatches: [
      { name: "tlsMode-istio", match: { tlsMode: "istio" }, transportSocket: meshSocket(input, target) },
      { name: "tlsMode-disabled", match: {}, transportSocket: plainSocket() },
    ],
  }).transportSocketMatches;
}

/** Why a client does not choose the mesh's TLS by itself, and what says so. */
export interface NotAutomatic {
  readonly why: string;
  readonly place: Provenance | null;
}

/**
 * Null where a client uses the mesh's TLS for endpoints that can get it. It looks at the namespace's and the mesh's
 * policies only [control-plane §6.4].
 */
export function notAutomatic({ push, proxy, mutualTls }: GeneratorInput, service: Service): NotAutomatic | null {
  if (mutualTls !== true) return { why: "the mesh has no certificate authority", place: null };
  if (!push.mesh.enableAutoMtls)
    return { why: "the mesh does not choose TLS by itself (enableAutoMtls)", place: from(push.meshConfig)[0] ?? null };
  if (service.meshExternal)
    return { why: `${service.hostname} is outside the mesh`, place: from(service.config)[0] ?? null };
  if (!hasIdentity(push, proxy)) return { why: "it has no certificate of the mesh", place: null };
  const { mode, config, path } = namespaceMtls(push, service.namespace);
  if (mode !== "DISABLE") return null;
  return { why: "the namespace takes plaintext", place: from(config, path)[0] ?? null };
}

/** Mutual TLS of the mesh with exactly the identities behind the service, unless the rule names others. */
function meshSocket(input: GeneratorInput, target: ClusterTarget, settings?: ClientTlsSettings): TransportSocket {
  const { proxy } = input;
  const { service, port, subset } = target;
  const named = settings?.subjectAltNames ?? [];
  const sni = settings?.sni ?? "";
  return clientSocket({
    sni: sni === "" ? sniClusterName(service.hostname, port.port, subset) : sni,
    commonTlsContext: {
      tlsParams: CLIENT_PARAMETERS,
      alpnProtocols: isHttp(port.protocol) ? MESH_HTTP : hasOwnFilters(input) ? MESH_TCP_EXCHANGE : MESH_TCP,
      tlsCertificateSdsSecretConfigs: [ownCertificate(proxy, "CLIENT")],
      validationContextType: {
        case: "combinedValidationContext",
        value: {
          defaultValidationContext: {
            matchTypedSubjectAltNames: (named.length > 0 ? named : identities(input, service)).map(exactName),
          },
          validationContextSdsSecretConfig: meshRoots(proxy, "CLIENT"),
        },
      },
    },
  });
}

/** Also under the mesh's former names: a workload may still have a certificate of one. */
function identities({ push }: GeneratorInput, service: Service): string[] {
  const { trustDomain, trustDomainAliases } = push.mesh;
  const own = `spiffe://${trustDomain}/`;
  const all = push
    .identities(service.key)
    .flatMap((identity) => [
      identity,
      ...(identity.startsWith(own)
        ? trustDomainAliases.map((alias) => `spiffe://${alias}/${identity.slice(own.length)}`)
        : []),
    ]);
  return [...new Set(all)].sort();
}
