import type { DescMessage } from "@bufbuild/protobuf";
import type { Any } from "@bufbuild/protobuf/wkt";
import type { GeneratedTraffic } from "@mixerless/pilot/testing";
import { packAny } from "@mixerless/wire";
import { type Cluster, ClusterSchema } from "@mixerless/wire/envoy/config/cluster/v3/cluster";
import {
  type ClusterLoadAssignment,
  ClusterLoadAssignmentSchema,
} from "@mixerless/wire/envoy/config/endpoint/v3/endpoint";
import { type Listener, ListenerSchema } from "@mixerless/wire/envoy/config/listener/v3/listener";
import { RouteConfigurationSchema } from "@mixerless/wire/envoy/config/route/v3/route";
import { TypeUrl } from "@mixerless/xds";
import type { Endpoints } from "./endpoints.ts";
import { moveEndpoints, moveListener } from "./local-addresses.ts";

const SCHEMAS: Readonly<Record<string, DescMessage>> = {
  [TypeUrl.cluster]: ClusterSchema,
  [TypeUrl.endpoint]: ClusterLoadAssignmentSchema,
  [TypeUrl.listener]: ListenerSchema,
  [TypeUrl.route]: RouteConfigurationSchema,
};

export interface LocalAddress {
  readonly ip: string;
  readonly port: number;
}

/** What pilot generates for a case, led to addresses of this machine. */
export interface LocalConfiguration {
  readonly resources: readonly { readonly name: string; readonly any: Any }[];
  readonly listeners: ReadonlyMap<string, LocalAddress>;
}

export async function localConfiguration(
  { messages }: GeneratedTraffic,
  endpoints: Endpoints,
): Promise<LocalConfiguration> {
  const resources: { name: string; any: Any }[] = [];
  const listeners = new Map<string, LocalAddress>();
  for (const [typeUrl, byName] of messages) {
    for (const [name, message] of byName) {
      if (typeUrl === TypeUrl.listener) listeners.set(name, moveListener(message as Listener, loopback()));
      if (typeUrl === TypeUrl.endpoint) await moveEndpoints(message as ClusterLoadAssignment, endpoints);
      if (typeUrl === TypeUrl.cluster) await moveEndpoints((message as Cluster).loadAssignment, endpoints);
      const schema = SCHEMAS[typeUrl];
      if (schema !== undefined) resources.push({ name, any: packAny(schema, message as never) });
    }
  }
  return { resources, listeners };
}

let addresses = 0;

/** A loopback address of this process's own, so that runs beside each other don't meet. */
function loopback(): string {
  addresses += 1;
  const { pid } = process;
  return `127.${64 + ((pid >> 8) & 63)}.${pid & 255}.${1 + (addresses % 250)}`;
}
