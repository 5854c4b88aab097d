import { create, type JsonObject } from "@bufbuild/protobuf";
import {
  type Cluster,
  Cluster_DiscoveryType,
  Cluster_LbPolicy,
  ClusterSchema,
} from "@mixerless/wire/envoy/config/cluster/v3/cluster";
import { ClusterLoadAssignmentSchema } from "@mixerless/wire/envoy/config/endpoint/v3/endpoint";
import type { ServiceTarget } from "../../model/push-context.ts";
import type { IngressListener, SidecarScope } from "../../model/sidecar-scope.ts";
import { from, type Generated } from "../generated.ts";
import type { GeneratorInput } from "../generator-input.ts";
import { inboundClusterName } from "../names.ts";
import { addressOf, istioMetadata, socketAddress } from "../proto.ts";
import { hasHttp2 } from "./protocol-options.ts";
import { applyPolicy } from "./traffic-policy.ts";

/** The clusters that lead to the workload's own application, one for each ingress listener [control-plane §4.9]. */
export function inboundClusters(input: GeneratorInput, scope: SidecarScope): Generated<Cluster>[] {
  return (scope.ingress ?? []).flatMap((ingress) => inboundCluster(input, scope, ingress) ?? []);
}

/** The services whose traffic arrives at an ingress port, oldest first. */
export function servicesAt(input: GeneratorInput, ingress: IngressListener): ServiceTarget[] {
  const { number } = ingress.port;
  const seen = new Set<string>();
  return input.push.serviceTargets(input.proxy).filter((target) => {
    if (target.port.port !== number && target.targetPort !== number) return false;
    const fresh = !seen.has(target.service.hostname);
    seen.add(target.service.hostname);
    return fresh;
  });
}

function inboundCluster(
  input: GeneratorInput,
  scope: SidecarScope,
  ingress: IngressListener,
): Generated<Cluster> | undefined {
  const endpoint = parseEndpoint(ingress.defaultEndpoint, input.proxy.ipAddresses[0]);
  if (endpoint === undefined) return undefined;
  const name = inboundClusterName(ingress.port.number);
  const targets = servicesAt(input, ingress);
  const cluster = create(ClusterSchema, {
    name,
    altStatName: `${name};`,
    clusterDiscoveryType: { case: "type", value: Cluster_DiscoveryType.STATIC },
  });
  const connectionPool = ingress.connectionPool ?? scope.inboundConnectionPool;
  applyPolicy(
    cluster,
    { ...(connectionPool === undefined ? {} : { connectionPool }), subsetLabels: {} },
    { protocol: ingress.protocol, mesh: input.push.mesh, mayUpgrade: false, hasHttp2: hasHttp2(input.proxy) },
  );
  cluster.lbPolicy = Cluster_LbPolicy.ROUND_ROBIN;
  cluster.loadAssignment = create(ClusterLoadAssignmentSchema, {
    clusterName: name,
    endpoints: [{ lbEndpoints: [{ hostIdentifier: { case: "endpoint", value: { address: endpoint } } }] }],
  });
  cluster.metadata = istioMetadata(serviceMetadata(targets));
  const provenance = [...from(scope.config, ingress.path), ...targets.flatMap((target) => from(target.service.config))];
  return { name, message: cluster, provenance };
}

/** Nothing when the first service lives outside the mesh [telemetry §1.5]. */
function serviceMetadata(targets: readonly ServiceTarget[]): JsonObject {
  const [first] = targets;
  if (first === undefined || first.service.meshExternal) return {};
  return {
    services: targets.map(({ service }) => ({
      host: service.hostname,
      name: service.name,
      namespace: service.namespace,
    })),
  };
}

/** `127.0.0.1:p` as written, `0.0.0.0:p` at the workload's own address, `unix://…` a socket; undefined for what needs capture. */
function parseEndpoint(text: string, instanceIp: string | undefined) {
  if (text.startsWith("unix://")) return addressOf(text, 0);
  const match = /^(\[[^\]]+\]|[^:]+):(\d+)$/.exec(text);
  const [, host, port] = match ?? [];
  if (host === undefined || port === undefined) return undefined;
  const bare = host.replace(/^\[|\]$/g, "");
  const address = bare === "0.0.0.0" || bare === "::" ? instanceIp : bare;
  return address === undefined ? undefined : socketAddress(address, Number(port));
}
