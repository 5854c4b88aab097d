import { isIP } from "node:net";
import type { Address } from "@mixerless/wire/envoy/config/core/v3/address";
import { SocketAddress_Protocol } from "@mixerless/wire/envoy/config/core/v3/address";
import { HealthStatus } from "@mixerless/wire/envoy/config/core/v3/health_check";
import type { ClusterLoadAssignment } from "@mixerless/wire/envoy/config/endpoint/v3/endpoint";
import type { LbEndpoint, LocalityLbEndpoints } from "@mixerless/wire/envoy/config/endpoint/v3/endpoint_components";
import { pipeAddress, socketAddress } from "../transport/socket-address.ts";
import type { NamedEndpoint } from "./cluster-config.ts";
import { type EndpointConfig, NO_LOCALITY } from "./upstream-host.ts";

/** Envoy's default for `overprovisioning_factor`, percent. */
const OVERPROVISIONING = 140;

/** `path` starts inside the ClusterLoadAssignment. */
export interface EndpointFault {
  readonly path: string;
  readonly message: string;
}

/** Endpoints whose addresses are IPs, or Unix sockets of this machine. */
export function compileEndpoints(assignment: ClusterLoadAssignment | undefined): {
  endpoints: EndpointConfig[];
  /** As {@link HostSet.overprovisioning}. */
  overprovisioning: number;
  faults: EndpointFault[];
} {
  const faults: EndpointFault[] = [];
  const endpoints: EndpointConfig[] = [];
  for (const named of collect(assignment, faults)) {
    const { name, port, path, pipe, ...rest } = named;
    if (pipe) {
      // Node fills such a name up with zero bytes, so that it would be another one than everybody else's.
      if (name.startsWith("@")) {
        const message = `"${name}" is a Unix socket without a file, which this data plane cannot reach; use a path`;
        faults.push({ path, message });
        continue;
      }
      endpoints.push({ ...rest, address: pipeAddress(name) });
      continue;
    }
    if (isIP(name) === 0) {
      faults.push({ path, message: `"${name}" is not an IP address; names need a STRICT_DNS or LOGICAL_DNS cluster` });
      continue;
    }
    endpoints.push({ ...rest, address: socketAddress(name, port) });
  }
  return { endpoints, overprovisioning: overprovisioningOf(assignment), faults };
}

/** Endpoints whose addresses may be names. */
export function compileNamedEndpoints(assignment: ClusterLoadAssignment | undefined): {
  endpoints: NamedEndpoint[];
  overprovisioning: number;
  faults: EndpointFault[];
} {
  const faults: EndpointFault[] = [];
  const endpoints = collect(assignment, faults).map(({ path, hostname: _hostname, pipe, ...rest }) => {
    if (pipe) faults.push({ path, message: "a Unix socket has no name to look up; use a STATIC or EDS cluster" });
    return rest;
  });
  return { endpoints, overprovisioning: overprovisioningOf(assignment), faults };
}

function overprovisioningOf(assignment: ClusterLoadAssignment | undefined): number {
  return (assignment?.policy?.overprovisioningFactor ?? OVERPROVISIONING) / 100;
}

type Collected = NamedEndpoint & {
  readonly path: string;
  readonly hostname: string;
  /** `name` is the path of a Unix socket. */
  readonly pipe: boolean;
};

function collect(assignment: ClusterLoadAssignment | undefined, faults: EndpointFault[]): Collected[] {
  const collected: Collected[] = [];
  assignment?.endpoints.forEach((group, i) => {
    group.lbEndpoints.forEach((endpoint, j) => {
      const path = `endpoints[${i}].lbEndpoints[${j}]`;
      const found = compileEndpoint(group, endpoint, path, faults);
      if (found !== null) collected.push(found);
    });
  });
  return collected;
}

function compileEndpoint(
  group: LocalityLbEndpoints,
  entry: LbEndpoint,
  at: string,
  faults: EndpointFault[],
): Collected | null {
  if (entry.hostIdentifier.case !== "endpoint") {
    faults.push({ path: `${at}.endpointName`, message: "named endpoints are not supported; give the endpoint itself" });
    return null;
  }
  const { address, hostname } = entry.hostIdentifier.value;
  const path = `${at}.endpoint.address`;
  const target = compileAddress(address, path, faults);
  if (target === null) return null;
  return {
    ...target,
    path,
    hostname,
    weight: entry.loadBalancingWeight ?? 1,
    priority: group.priority,
    locality: group.locality
      ? { region: group.locality.region, zone: group.locality.zone, subZone: group.locality.subZone }
      : NO_LOCALITY,
    localityWeight: group.loadBalancingWeight ?? 0,
    metadata: entry.metadata?.filterMetadata ?? {},
    serving: isServing(entry.healthStatus),
  };
}

function compileAddress(
  address: Address | undefined,
  path: string,
  faults: EndpointFault[],
): { name: string; port: number; pipe: boolean } | null {
  const socket = address?.address;
  if (socket?.case === "pipe") return { name: socket.value.path, port: 0, pipe: true };
  if (socket?.case !== "socketAddress") {
    faults.push({ path, message: `${socket?.case ?? "an empty address"} is not supported; use socketAddress or pipe` });
    return null;
  }
  if (socket.value.protocol !== SocketAddress_Protocol.TCP) {
    faults.push({ path: `${path}.socketAddress.protocol`, message: "only TCP is supported" });
    return null;
  }
  if (socket.value.portSpecifier.case !== "portValue") {
    faults.push({ path: `${path}.socketAddress.portValue`, message: "a port number is needed" });
    return null;
  }
  return { name: socket.value.address, port: socket.value.portSpecifier.value, pipe: false };
}

function isServing(status: HealthStatus): boolean {
  return status === HealthStatus.UNKNOWN || status === HealthStatus.HEALTHY || status === HealthStatus.DEGRADED;
}
