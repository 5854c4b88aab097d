import type { Cluster } from "@mixerless/wire/envoy/config/cluster/v3/cluster";
import type { Address } from "@mixerless/wire/envoy/config/core/v3/address";
import type { ClusterLoadAssignment } from "@mixerless/wire/envoy/config/endpoint/v3/endpoint";
import type { Listener } from "@mixerless/wire/envoy/config/listener/v3/listener";
import type { Endpoints } from "./endpoints.ts";

// A configuration speaks of addresses of a mesh; here it is tried on one machine. Only addresses are changed.

/** Lets a listener bind to a loopback address; ports below 1024 need rights that tests don't have. */
export function moveListener(listener: Listener, ip: string): { ip: string; port: number } {
  const socket = socketOf(listener.address);
  const wanted = socket?.portSpecifier.case === "portValue" ? socket.portSpecifier.value : 0;
  const port = wanted < 1024 ? wanted + 20_000 : wanted;
  if (socket !== undefined) {
    socket.address = ip;
    socket.portSpecifier = { case: "portValue", value: port };
  }
  return { ip, port };
}

/** Lets an assignment lead to the stand-ins of its endpoints. */
export async function moveEndpoints(
  assignment: ClusterLoadAssignment | Cluster["loadAssignment"],
  endpoints: Endpoints,
): Promise<void> {
  for (const locality of assignment?.endpoints ?? []) {
    for (const { hostIdentifier } of locality.lbEndpoints) {
      if (hostIdentifier.case !== "endpoint") continue;
      const { address } = hostIdentifier.value;
      if (address?.address.case === "pipe" && !address.address.value.path.startsWith("@"))
        address.address.value.path = await endpoints.path(address.address.value.path);
      const socket = socketOf(address);
      if (socket === undefined) continue;
      const port = await endpoints.port(socket.address);
      socket.address = "127.0.0.1";
      socket.portSpecifier = { case: "portValue", value: port };
    }
  }
}

function socketOf(address: Address | undefined) {
  return address?.address.case === "socketAddress" ? address.address.value : undefined;
}
