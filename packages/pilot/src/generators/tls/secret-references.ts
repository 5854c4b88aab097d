import type { MessageInitShape } from "@bufbuild/protobuf";
import type { ConfigSourceSchema } from "@mixerless/wire/envoy/config/core/v3/config_source";
import type { SdsSecretConfigSchema } from "@mixerless/wire/envoy/extensions/transport_sockets/tls/v3/secret";
import { duration } from "../proto.ts";

/** The workload's own certificate and key, and what the certificates of the mesh lead up to [control-plane §6.6]. */
export const OWN_CERTIFICATE = "default";
export const MESH_ROOTS = "ROOTCA";

/** Where a proxy gets its workload's secrets from: its agent, which no other proxy can ask. */
const AGENT_CLUSTER = "sds-grpc";
const GRPC = 2;
const V3 = 2;

type SecretReference = MessageInitShape<typeof SdsSecretConfigSchema>;

/** A secret that the workload's agent holds: `default`, `ROOTCA`, `file-cert:…`, `file-root:…` [§6.8]. */
export function agentSecret(name: string): SecretReference {
  const sdsConfig: MessageInitShape<typeof ConfigSourceSchema> = {
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
