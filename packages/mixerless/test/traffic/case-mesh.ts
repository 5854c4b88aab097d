import type { DescMessage } from "@bufbuild/protobuf";
import { SystemClock } from "@mixerless/clock";
import { createMetadataExchange, createStats } from "@mixerless/extensions";
import { generateTraffic, type TrafficCase } from "@mixerless/pilot/testing";
import { createProxy, type Proxy as DataPlane, decodeBootstrap } from "@mixerless/proxy";
import { packAny } from "@mixerless/wire";
import { type Cluster, ClusterSchema } from "@mixerless/wire/envoy/config/cluster/v3/cluster";
import {
  type ClusterLoadAssignment,
  ClusterLoadAssignmentSchema,
} from "@mixerless/wire/envoy/config/endpoint/v3/endpoint";
import { type Listener, ListenerSchema } from "@mixerless/wire/envoy/config/listener/v3/listener";
import { RouteConfigurationSchema } from "@mixerless/wire/envoy/config/route/v3/route";
import { createXdsServer, MapSource, TypeUrl, type XdsServer } from "@mixerless/xds";
import { Endpoints } from "./endpoints.ts";
import { moveEndpoints, moveListener } from "./local-addresses.ts";

const SCHEMAS: Readonly<Record<string, DescMessage>> = {
  [TypeUrl.cluster]: ClusterSchema,
  [TypeUrl.endpoint]: ClusterLoadAssignmentSchema,
  [TypeUrl.listener]: ListenerSchema,
  [TypeUrl.route]: RouteConfigurationSchema,
};

let addresses = 0;

/** A loopback address of this process's own, so that runs beside each other don't meet. */
function loopback(): string {
  addresses += 1;
  const { pid } = process;
  return `127.${64 + ((pid >> 8) & 63)}.${pid & 255}.${1 + (addresses % 250)}`;
}

/** One proxy with what pilot generates for a case, and stand-ins for every endpoint. */
export class CaseMesh {
  readonly listeners: ReadonlyMap<string, { readonly ip: string; readonly port: number }>;
  /** What the proxy refused, in its own words. */
  readonly refusals: readonly string[];
  readonly #proxy: DataPlane;
  readonly #xds: XdsServer;
  readonly #endpoints: Endpoints;

  private constructor(parts: {
    listeners: CaseMesh["listeners"];
    refusals: readonly string[];
    proxy: DataPlane;
    xds: XdsServer;
    endpoints: Endpoints;
  }) {
    this.listeners = parts.listeners;
    this.refusals = parts.refusals;
    this.#proxy = parts.proxy;
    this.#xds = parts.xds;
    this.#endpoints = parts.endpoints;
  }

  /** Resolves when the proxy serves. */
  static async start(entry: TrafficCase, folder: URL): Promise<CaseMesh> {
    const endpoints = new Endpoints();
    const { source, listeners } = await localSource(entry, folder, endpoints);
    const refusals: string[] = [];
    const clock = new SystemClock();
    let refused = () => {};
    const firstRefusal = new Promise<void>((resolve) => {
      refused = resolve;
    });
    const onNack = (_connection: unknown, _type: string, nack: { readonly message: string } | null) => {
      refusals.push(nack?.message ?? "");
      refused();
    };
    const xds = createXdsServer({ source, clock, address: "127.0.0.1:0", observer: { onNack } });
    const proxy = startedProxy(await xds.start(), clock);
    await proxy.start();
    // What refuses its routes never becomes ready.
    await Promise.race([proxy.whenReady, firstRefusal]);
    return new CaseMesh({ listeners, refusals, proxy, xds, endpoints });
  }

  async close(): Promise<void> {
    await this.#proxy.close();
    await Promise.all([this.#xds.close(0), this.#endpoints.close()]);
  }
}

async function localSource(entry: TrafficCase, folder: URL, endpoints: Endpoints) {
  const { messages } = generateTraffic(entry, folder);
  const source = new MapSource();
  const listeners = new Map<string, { ip: string; port: number }>();
  for (const [typeUrl, byName] of messages) {
    for (const [name, message] of byName) {
      if (typeUrl === TypeUrl.listener) listeners.set(name, moveListener(message as Listener, loopback()));
      if (typeUrl === TypeUrl.endpoint) await moveEndpoints(message as ClusterLoadAssignment, endpoints);
      if (typeUrl === TypeUrl.cluster) await moveEndpoints((message as Cluster).loadAssignment, endpoints);
      const schema = SCHEMAS[typeUrl];
      if (schema !== undefined) source.set(name, packAny(schema, message as never));
    }
  }
  return { source, listeners };
}

function startedProxy(xdsAddress: string, clock: SystemClock): DataPlane {
  const [address = "", port = "0"] = xdsAddress.split(":");
  const decoded = decodeBootstrap(bootstrap(address, Number(port)));
  if (decoded.message === undefined) throw new Error(JSON.stringify(decoded.faults));
  let seed = 1;
  const random = () => {
    // The same numbers in every run: shares are then facts and not chances.
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
    return seed / 2 ** 32;
  };
  return createProxy({
    bootstrap: decoded.message,
    clock,
    extensions: { "stats.PluginConfig": createStats, "io.istio.http.peer_metadata.Config": createMetadataExchange },
    log: () => {},
    random,
    uuid: () => "00000000-0000-4000-8000-000000000000",
    onQuit: () => {},
    version: "test",
    drainTime: 0,
  });
}

function bootstrap(address: string, port: number): unknown {
  const socket = { socket_address: { address, port_value: port } };
  return {
    node: { id: "sidecar~10.0.0.5~client-v1.default~default.svc.cluster.local", cluster: "client.default" },
    dynamic_resources: {
      ads_config: {
        api_type: "DELTA_GRPC",
        transport_api_version: "V3",
        grpc_services: [{ envoy_grpc: { cluster_name: "xds-grpc" } }],
      },
      cds_config: { ads: {}, resource_api_version: "V3" },
      lds_config: { ads: {}, resource_api_version: "V3" },
    },
    static_resources: {
      clusters: [
        {
          name: "xds-grpc",
          type: "STATIC",
          connect_timeout: "1s",
          load_assignment: {
            cluster_name: "xds-grpc",
            endpoints: [{ lb_endpoints: [{ endpoint: { address: socket } }] }],
          },
        },
      ],
    },
  };
}
