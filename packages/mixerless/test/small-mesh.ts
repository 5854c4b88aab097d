import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { SidecarAddresses, WorkloadIdentity } from "@mixerless/agent";
import { decodeJson, formatFault, packAny } from "@mixerless/wire";
import { ClusterSchema } from "@mixerless/wire/envoy/config/cluster/v3/cluster";
import { ClusterLoadAssignmentSchema } from "@mixerless/wire/envoy/config/endpoint/v3/endpoint";
import { ListenerSchema } from "@mixerless/wire/envoy/config/listener/v3/listener";
import { RouteConfigurationSchema } from "@mixerless/wire/envoy/config/route/v3/route";
import type { MapSource } from "@mixerless/xds";
import { freePorts } from "../src/demo/address-plan.ts";

export const IP = "127.0.0.1";
export const HCM =
  "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager";
export const ROUTER = "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router";

export const IDENTITY: WorkloadIdentity = {
  type: "sidecar",
  name: "a",
  namespace: "default",
  workload: "a",
  instanceIps: [IP],
  labels: {},
  annotations: {},
  serviceAccount: "a",
  clusterId: "Kubernetes",
  meshId: "cluster.local",
  istioVersion: "1.30.3",
  domain: "cluster.local",
  interceptionMode: "NONE",
  owner: null,
  locality: { region: "", zone: "", subZone: "" },
};

type Json = Parameters<typeof decodeJson>[1];

export function pack(schema: Parameters<typeof decodeJson>[0], json: Json) {
  const decoded = decodeJson(schema, json);
  if (decoded.faults !== undefined) throw new Error(decoded.faults.map(formatFault).join("\n"));
  return packAny(schema, decoded.message);
}

const ads = { ads: {}, resourceApiVersion: "V3" };

/** A cluster whose endpoints come by EDS, and an assignment of them. */
export function setCluster(source: MapSource, name: string, ports: readonly number[], change: object = {}): void {
  source.set(
    name,
    pack(ClusterSchema, { name, type: "EDS", connectTimeout: "1s", edsClusterConfig: { edsConfig: ads }, ...change }),
  );
  setEndpoints(source, name, ports);
}

export function setEndpoints(source: MapSource, name: string, ports: readonly number[]): void {
  const lbEndpoints = ports.map((portValue) => ({
    endpoint: { address: { socketAddress: { address: IP, portValue } } },
  }));
  source.set(name, pack(ClusterLoadAssignmentSchema, { clusterName: name, endpoints: [{ lbEndpoints }] }));
}

/** Sends everything to clusters by weight, with a route for each prefix and one for all else. */
export function setRoutes(
  source: MapSource,
  name: string,
  weights: Readonly<Record<string, number>>,
  prefixes: readonly string[] = [],
): void {
  const clusters = Object.entries(weights).map(([cluster, weight]) => ({ name: cluster, weight }));
  const routes = [...prefixes, "/"].map((prefix) => ({ match: { prefix }, route: { weightedClusters: { clusters } } }));
  source.set(name, pack(RouteConfigurationSchema, { name, virtualHosts: [{ name: "all", domains: ["*"], routes }] }));
}

export interface ListenerOptions {
  readonly direction?: "INBOUND" | "OUTBOUND";
  /** More fields of the HTTP connection manager. */
  readonly manager?: object;
  /** HTTP filters before the router. */
  readonly filters?: readonly object[];
}

/** An HTTP listener that takes its routes by RDS. */
export function setListener(
  source: MapSource,
  name: string,
  port: number,
  routes: string,
  { direction = "INBOUND", manager = {}, filters = [] }: ListenerOptions = {},
): void {
  const typedConfig = {
    "@type": HCM,
    statPrefix: name,
    rds: { routeConfigName: routes, configSource: ads },
    httpFilters: [...filters, { name: "envoy.filters.http.router", typedConfig: { "@type": ROUTER } }],
    ...manager,
  };
  source.set(
    name,
    pack(ListenerSchema, {
      name,
      trafficDirection: direction,
      address: { socketAddress: { address: IP, portValue: port } },
      filterChains: [{ filters: [{ name: "envoy.filters.network.http_connection_manager", typedConfig }] }],
    } as Json),
  );
}

/** An origin that answers with `body`. */
export async function startOrigin(body: string): Promise<{ port: number; server: Server }> {
  const server = createServer((_request, response) => response.end(body)).listen(0, IP);
  await new Promise((wake) => server.once("listening", wake));
  return { port: (server.address() as AddressInfo).port, server };
}

/** Addresses of a sidecar on free ports. */
export async function sidecarAddresses(discoveryPort: number): Promise<SidecarAddresses> {
  const [adminPort = 0, prometheusPort = 0, healthPort = 0, statusPort = 0] = await freePorts(4);
  const discovery = { host: IP, port: discoveryPort };
  return { ip: IP, adminPort, prometheusPort, healthPort, statusPort, sourceIp: null, discovery };
}
