import type { Clock } from "@mixerless/clock";
import type { Bootstrap } from "@mixerless/wire/envoy/config/bootstrap/v3/bootstrap";
import type { Cluster } from "@mixerless/wire/envoy/config/cluster/v3/cluster";
import type { Node } from "@mixerless/wire/envoy/config/core/v3/base";
import type { ChannelSecurity } from "@mixerless/xds";
import type { SecretSource } from "../tls/secret-store.ts";
import { BootstrapError } from "./apply-static.ts";
import { channelSecurity } from "./channel-security.ts";

/** Whom a proxy asks for its configuration, and how it is called there. */
export interface ControlPlane {
  /** `host:port` or `unix:/path`. */
  readonly target: string;
  /** Left out: in clear. */
  readonly security?: ChannelSecurity;
  readonly node: Node;
}

/** What the bootstrap says of it. Throws a BootstrapError. */
export function controlPlaneOf(bootstrap: Bootstrap, secrets: SecretSource, clock: Clock): ControlPlane {
  const cluster = controlPlaneCluster(bootstrap);
  const target = targetOf(cluster);
  const security = channelSecurity(cluster, secrets, clock);
  const node = { ...nodeOf(bootstrap), userAgentName: "mixerless" };
  return { target, node, ...(security === null ? {} : { security }) };
}

function nodeOf(bootstrap: Bootstrap) {
  if (bootstrap.node === undefined)
    throw new BootstrapError([{ path: "node", message: "a control plane needs to know who asks; give node.id" }]);
  return bootstrap.node;
}

const CLUSTER_PATH = "dynamicResources.adsConfig.grpcServices[0].envoyGrpc.clusterName";

/** The static cluster that `ads_config` names. */
function controlPlaneCluster(bootstrap: Bootstrap): Cluster {
  const service = bootstrap.dynamicResources?.adsConfig?.grpcServices[0]?.targetSpecifier;
  const name = service?.case === "envoyGrpc" ? service.value.clusterName : "";
  const cluster = bootstrap.staticResources?.clusters.find((entry) => entry.name === name);
  if (cluster !== undefined) return cluster;
  throw new BootstrapError([{ path: CLUSTER_PATH, message: `there is no static cluster "${name}"` }]);
}

function targetOf(cluster: Cluster): string {
  const host = cluster.loadAssignment?.endpoints[0]?.lbEndpoints[0]?.hostIdentifier;
  const address = host?.case === "endpoint" ? host.value.address?.address : undefined;
  if (address?.case === "pipe") return `unix:${address.value.path}`;
  if (address?.case === "socketAddress" && address.value.portSpecifier.case === "portValue") {
    return `${address.value.address}:${address.value.portSpecifier.value}`;
  }
  throw new BootstrapError([
    { path: CLUSTER_PATH, message: `the static cluster "${cluster.name}" has no endpoint with an address and a port` },
  ]);
}
