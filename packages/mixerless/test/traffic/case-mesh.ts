import { SystemClock } from "@mixerless/clock";
import { createMetadataExchange, createStats } from "@mixerless/extensions";
import { generateTraffic, type TrafficCase } from "@mixerless/pilot/testing";
import { createProxy, type Proxy as DataPlane, decodeBootstrap, SecretStore } from "@mixerless/proxy";
import { createXdsServer, MapSource, type XdsServer } from "@mixerless/xds";
import { Endpoints } from "./endpoints.ts";
import { type LocalConfiguration, localConfiguration } from "./local-configuration.ts";
import type { MeshIdentities } from "./mesh-identities.ts";

/** One proxy with what pilot generates for a case, and stand-ins for every endpoint. */
export class CaseMesh {
  readonly listeners: LocalConfiguration["listeners"];
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
  static async start(entry: TrafficCase, folder: URL, mesh: MeshIdentities): Promise<CaseMesh> {
    const traffic = generateTraffic(entry, folder);
    const endpoints = new Endpoints({ mesh, byAddress: traffic.identities });
    const { resources, listeners } = await localConfiguration(traffic, endpoints);
    const source = new MapSource();
    for (const { name, any } of resources) source.set(name, any);
    for (const { name, any } of await mesh.credentials(traffic)) source.set(name, any);
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
    const secrets = new SecretStore();
    const { cert, key } = await mesh.of(traffic.identity);
    secrets.set("default", { certificateChain: cert, privateKey: key });
    secrets.set("ROOTCA", { trustedCa: mesh.roots });
    const proxy = startedProxy(await xds.start(), clock, secrets);
    await proxy.start();
    // What refuses its routes never becomes ready.
    await (entry.refusal === "" ? Promise.race([proxy.whenReady, firstRefusal]) : firstRefusal);
    return new CaseMesh({ listeners, refusals, proxy, xds, endpoints });
  }

  async close(): Promise<void> {
    await this.#proxy.close();
    await Promise.all([this.#xds.close(0), this.#endpoints.close()]);
  }
}

function startedProxy(xdsAddress: string, clock: SystemClock, secrets: SecretStore): DataPlane {
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
    secrets,
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
