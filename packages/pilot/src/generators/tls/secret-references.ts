import type { MessageInitShape } from "@bufbuild/protobuf";
import type { ConfigSourceSchema } from "@mixerless/wire/envoy/config/core/v3/config_source";
import type { SdsSecretConfigSchema } from "@mixerless/wire/envoy/extensions/transport_sockets/tls/v3/secret";
import type { ProxyNode } from "../../model/proxy-node.ts";
import { duration } from "../proto.ts";

/** The workload's own certificate and key, and what the certificates of the mesh lead up to [control-plane §6.6]. */
const OWN_CERTIFICATE = "default";
const MESH_ROOTS = "ROOTCA";

/** Where a proxy gets its workload's secrets from: its agent, which no other proxy can ask. */
const AGENT_CLUSTER = "sds-grpc";
const GRPC = 2;
const V3 = 2;

export type SecretReference = MessageInitShape<typeof SdsSecretConfigSchema>;
type Source = MessageInitShape<typeof ConfigSourceSchema>;

/** A secret that the workload's agent holds: `default`, `ROOTCA`, `file-cert:…`, `file-root:…` [§6.8]. */
function agentSecret(name: string): SecretReference {
  const sdsConfig: Source = {
    configSourceSpecifier: {
      case: "apiConfigSource",
      value: {
        apiType: GRPC,
        transportApiVersion: V3,
        setNodeOnFirstMessageOnly: true,
        grpcServices: [{ targetSpecifier: { case: "envoyGrpc", value: { clusterName: AGENT_CLUSTER } } }],
      },
    },
    initialFetchTimeout: duration(0),
    resourceApiVersion: V3,
  };
  return { name, sdsConfig };
}

/** A Secret of the configuration, which the control plane serves [§5.8]. */
function pilotSecret(name: string): SecretReference {
  const sdsConfig: Source = { configSourceSpecifier: { case: "ads", value: {} }, resourceApiVersion: V3 };
  return { name, sdsConfig };
}

/** Which end of a connection; a node may name files for each that take the place of its agent's secrets [§4.1]. */
export type End = "SERVER" | "CLIENT";

/** The certificate that the proxy shows as its workload's. */
export function ownCertificate({ metadata }: ProxyNode, end: End): SecretReference {
  const [chain, key] = [metadata[`TLS_${end}_CERT_CHAIN`], metadata[`TLS_${end}_KEY`]];
  return isText(chain) && isText(key) ? certificateFiles(chain, key) : agentSecret(OWN_CERTIFICATE);
}

/** What the certificates of the other end must lead up to. */
export function meshRoots({ metadata }: ProxyNode, end: End): SecretReference {
  const file = metadata[`TLS_${end}_ROOT_CERT`];
  return isText(file) ? rootsFile(file) : agentSecret(MESH_ROOTS);
}

export function certificateFiles(certificate: string, privateKey: string): SecretReference {
  return agentSecret(`file-cert:${certificate}~${privateKey}`);
}

/** `system`: what the host trusts. */
export function rootsFile(file: string): SecretReference {
  return agentSecret(`file-root:${file}`);
}

/** Certificate and key of a `credentialName`. */
export function credential(name: string): SecretReference {
  return name.startsWith("builtin://") ? agentSecret(OWN_CERTIFICATE) : pilotSecret(resourceName(name));
}

/** The authorities of a `credentialName`. */
export function credentialRoots(name: string): SecretReference {
  return name.startsWith("builtin://") ? agentSecret(MESH_ROOTS) : pilotSecret(`${resourceName(name)}-cacert`);
}

function resourceName(name: string): string {
  return name.includes("://") ? name : `kubernetes://${name}`;
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}
