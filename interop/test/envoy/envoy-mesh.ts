import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { SystemClock } from "@mixerless/clock";
import { generateTraffic, type TrafficCase } from "@mixerless/pilot/testing";
import { createXdsServer, MapSource, TypeUrl, type XdsServer } from "@mixerless/xds";
import { Endpoints } from "../../../packages/mixerless/test/traffic/endpoints.ts";
import {
  type LocalConfiguration,
  localConfiguration,
} from "../../../packages/mixerless/test/traffic/local-configuration.ts";
import type { MeshIdentities } from "../../../packages/mixerless/test/traffic/mesh-identities.ts";
import { freePort } from "../peers.ts";
import { EnvoyServer } from "./envoy-server.ts";
import { secretService } from "./secret-service.ts";

const TYPES = [TypeUrl.listener, TypeUrl.route, TypeUrl.cluster, TypeUrl.endpoint, TypeUrl.secret];
const PATIENCE = 10_000;

/** One Envoy that is led from the configuration of one case to that of the next. */
export class EnvoyMesh {
  readonly #source: MapSource;
  readonly #xds: XdsServer;
  readonly #envoy: EnvoyServer;
  readonly #folder: string;
  readonly #refusals: string[];
  readonly #mesh: MeshIdentities;
  /** Whose certificates its agent would have. */
  readonly #own: { identity: string };
  readonly #identities = new Map<string, string>();
  readonly #endpoints: Endpoints;

  private constructor(
    source: MapSource,
    xds: XdsServer,
    envoy: EnvoyServer,
    folder: string,
    refusals: string[],
    mesh: MeshIdentities,
    own: { identity: string },
  ) {
    this.#mesh = mesh;
    this.#own = own;
    this.#source = source;
    this.#xds = xds;
    this.#envoy = envoy;
    this.#folder = folder;
    this.#refusals = refusals;
    this.#endpoints = new Endpoints({ mesh, byAddress: this.#identities });
  }

  static async start(program: string, mesh: MeshIdentities): Promise<EnvoyMesh> {
    const source = new MapSource();
    const refusals: string[] = [];
    const own = { identity: "" };
    const xds = createXdsServer({
      source,
      services: [secretService((name) => mesh.secret(name, own.identity))],
      clock: new SystemClock(),
      address: "127.0.0.1:0",
      observer: { onNack: (_connection, _type, nack) => refusals.push(nack?.message ?? "") },
    });
    const [, xdsPort] = (await xds.start()).split(":");
    const admin = await freePort();
    const folder = await mkdtemp(join(tmpdir(), "mixerless-envoy-"));
    const file = join(folder, "bootstrap.json");
    await writeFile(file, JSON.stringify(bootstrap(admin, Number(xdsPort))));
    const envoy = await EnvoyServer.start(program, file, `http://127.0.0.1:${admin}`);
    return new EnvoyMesh(source, xds, envoy, folder, refusals, mesh, own);
  }

  get envoy(): EnvoyServer {
    return this.#envoy;
  }

  /** Replaces all that Envoy has; resolves when it serves the case, or refuses something of it. */
  async take(
    entry: TrafficCase,
    folder: URL,
  ): Promise<{ listeners: LocalConfiguration["listeners"]; refusals: string[] }> {
    // No connection pool, ejection or position of a round is left of the case before.
    await this.#replace([]);
    await this.#until("empty", () => this.#isSettled(0));
    const traffic = generateTraffic(asEnvoy(entry), folder);
    this.#identities.clear();
    for (const [address, identity] of traffic.identities) this.#identities.set(address, identity);
    const { resources, listeners } = await localConfiguration(traffic, this.#endpoints);
    this.#own.identity = traffic.identity;
    this.#refusals.length = 0;
    await this.#replace([...resources, ...(await this.#mesh.credentials(traffic))]);
    await this.#until(entry.name, async () => this.#refusals.length > 0 || (await this.#isSettled(listeners.size)));
    return { listeners, refusals: [...this.#refusals] };
  }

  async close(): Promise<void> {
    await this.#envoy.stop();
    await Promise.all([this.#xds.close(0), this.#endpoints.close(), rm(this.#folder, { recursive: true })]);
  }

  async #replace(resources: LocalConfiguration["resources"]): Promise<void> {
    const names = new Set(resources.map(({ name, any }) => `${any.typeUrl} ${name}`));
    for (const type of TYPES) {
      for (const name of [...this.#source.get(type).keys()]) {
        if (!names.has(`${type} ${name}`)) this.#source.delete(type, name);
      }
    }
    for (const { name, any } of resources) this.#source.set(name, any);
    this.#xds.push(this.#source.takeChanges());
  }

  /** Everything sent is answered, nothing warms up, and so many listeners are active. */
  async #isSettled(listeners: number): Promise<boolean> {
    const watches = this.#xds.connections().flatMap((connection) => connection.status().watches);
    if (watches.some(({ state }) => state === "stale")) return false;
    const stats = await this.#envoy.stats("^(listener_manager.total_listeners_|cluster_manager.warming_clusters)");
    return (
      stats["listener_manager.total_listeners_active"] === listeners &&
      stats["listener_manager.total_listeners_warming"] === 0 &&
      stats["cluster_manager.warming_clusters"] === 0
    );
  }

  async #until(what: string, holds: () => Promise<boolean>): Promise<void> {
    const end = performance.now() + PATIENCE;
    while (!(await holds())) {
      if (performance.now() > end) throw new Error(`Envoy does not get to ${what}: ${await this.#state()}`);
      await pause(5);
    }
  }

  async #state(): Promise<string> {
    const stats = await this.#envoy.stats("^(listener_manager|cluster_manager)");
    return JSON.stringify(Object.entries(stats).filter(([, value]) => value > 0));
  }
}

/** No `istio.*` filter for a stock Envoy [decision 2]. */
function asEnvoy(entry: TrafficCase): TrafficCase {
  return { ...entry, node: { ...entry.node, userAgentName: "envoy" } };
}

function bootstrap(admin: number, xds: number): object {
  const at = (port: number) => ({ socket_address: { address: "127.0.0.1", port_value: port } });
  return {
    node: { id: "sidecar~10.0.0.5~client-v1.default~default.svc.cluster.local", cluster: "client.default" },
    admin: { address: at(admin) },
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
        // The control plane, and the agent that has the secrets.
        ...["xds-grpc", "sds-grpc"].map((name) => ({
          name,
          type: "STATIC",
          connect_timeout: "1s",
          typed_extension_protocol_options: {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
              "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
              explicit_http_config: { http2_protocol_options: {} },
            },
          },
          load_assignment: {
            cluster_name: name,
            endpoints: [{ lb_endpoints: [{ endpoint: { address: at(xds) } }] }],
          },
        })),
      ],
    },
  };
}
