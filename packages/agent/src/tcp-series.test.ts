import net from "node:net";
import { VirtualClock } from "@mixerless/clock";
import { createStats } from "@mixerless/extensions";
import { parseExposition } from "@mixerless/metrics";
import { createProxy, decodeBootstrap, type Proxy as Sidecar } from "@mixerless/proxy";
import { afterEach, describe, expect, it } from "vitest";

const FAMILIES = ["connections_opened", "connections_closed", "received_bytes", "sent_bytes"] as const;
const SERVICE = {
  filterMetadata: { istio: { services: [{ host: "db.default.svc.cluster.local", name: "db", namespace: "default" }] } },
};

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

function node(workload: string) {
  return {
    id: `sidecar~127.0.0.1~${workload}.default~default.svc.cluster.local`,
    cluster: `${workload}.default`,
    metadata: {
      WORKLOAD_NAME: workload,
      NAMESPACE: "default",
      CLUSTER_ID: "Kubernetes",
      LABELS: {
        app: workload,
        version: "v1",
        "service.istio.io/canonical-name": workload,
        "service.istio.io/canonical-revision": "v1",
      },
    },
  };
}

const socketAddress = (address: string, portValue: number) => ({ socketAddress: { address, portValue } });

/** A sidecar with one TCP listener; `endpoint` metadata is what the control plane says about the workload there. */
async function sidecar(
  clock: VirtualClock,
  workload: string,
  direction: "INBOUND" | "OUTBOUND",
  port: number,
  endpoint: object = {},
) {
  const bootstrap = decodeBootstrap({
    node: node(workload),
    staticResources: {
      clusters: [
        {
          name: "db",
          type: "STATIC",
          metadata: SERVICE,
          loadAssignment: {
            clusterName: "db",
            endpoints: [{ lbEndpoints: [{ endpoint: { address: socketAddress("127.0.0.1", port) }, ...endpoint }] }],
          },
        },
      ],
      listeners: [
        {
          name: "tcp",
          address: socketAddress("127.0.0.1", 0),
          trafficDirection: direction,
          filterChains: [
            {
              filters: [
                { name: "istio.stats", typedConfig: { "@type": "type.googleapis.com/stats.PluginConfig" } },
                {
                  name: "envoy.filters.network.tcp_proxy",
                  typedConfig: {
                    "@type": "type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy",
                    statPrefix: "db",
                    cluster: "db",
                  },
                },
              ],
            },
          ],
        },
      ],
    },
  });
  if (bootstrap.faults !== undefined) throw new Error(JSON.stringify(bootstrap.faults));
  const proxy = createProxy({
    bootstrap: bootstrap.message,
    clock,
    extensions: { "stats.PluginConfig": createStats },
    log: () => {},
    random: () => 0.5,
    uuid: () => "id",
    onQuit: () => {},
    version: "test",
  });
  closing.push(() => proxy.close());
  await proxy.start();
  const address = proxy.listenerAddress("tcp") ?? "";
  return { proxy, port: Number(address.slice(address.lastIndexOf(":") + 1)) };
}

/** The application: answers each byte with two. */
async function doubling(): Promise<number> {
  const sockets = new Set<net.Socket>();
  const server = net.createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on("data", (chunk) => socket.write(Buffer.concat([chunk, chunk])));
    socket.on("end", () => socket.end());
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closing.push(
    () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  );
  return (server.address() as net.AddressInfo).port;
}

/** A client connection that knows when all answers are there. */
class Client {
  readonly #socket: net.Socket;
  #received = 0;
  #wanted = 0;
  #arrived: () => void = () => {};

  private constructor(socket: net.Socket) {
    this.#socket = socket;
    socket.on("data", (chunk) => {
      this.#received += chunk.length;
      if (this.#received >= this.#wanted) this.#arrived();
    });
  }

  static connect(port: number): Promise<Client> {
    return new Promise((resolve, reject) => {
      const socket = net.connect(port, "127.0.0.1", () => resolve(new Client(socket)));
      socket.once("error", reject);
      closing.push(async () => void socket.destroy());
    });
  }

  /** Sends so many bytes and waits for the answer to all of them. */
  send(size: number): Promise<void> {
    this.#wanted += 2 * size;
    return new Promise((resolve) => {
      this.#arrived = resolve;
      this.#socket.write(Buffer.alloc(size, 120));
    });
  }

  end(): Promise<void> {
    return new Promise((resolve) => {
      this.#socket.once("close", () => resolve());
      this.#socket.end();
    });
  }
}

function samples(proxy: Sidecar, name: string) {
  const parsed = parseExposition(proxy.metrics.text());
  if ("faults" in parsed) throw new Error(JSON.stringify(parsed.faults));
  return parsed.samples.filter((sample) => sample.name === name);
}

/** `[opened, closed, received, sent]`, null where there is no series; fails where one metric has several. */
function counts(proxy: Sidecar): (number | null)[] {
  return FAMILIES.map((family) => {
    const found = samples(proxy, `istio_tcp_${family}_total`);
    expect(found.length).toBeLessThanOrEqual(1);
    return found[0]?.value ?? null;
  });
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
}

const open = (proxy: Sidecar) => samples(proxy, "envoy_tcp_downstream_cx_active").at(0)?.value ?? 0;

describe("TCP series of a connection through two sidecars, on plaintext", () => {
  /** Client → sidecar of `web` → sidecar of `db` → application, in virtual time. */
  async function chain(endpoint: object = {}) {
    const clock = new VirtualClock();
    const server = await sidecar(clock, "db", "INBOUND", await doubling());
    const client = await sidecar(clock, "web", "OUTBOUND", server.port, endpoint);
    return { clock, client: client.proxy, server: server.proxy, connect: () => Client.connect(client.port) };
  }

  it("are exact at each interval for both reporters: opened, closed, received, sent", async () => {
    const { clock, client, server, connect } = await chain();
    const both = () => [counts(client), counts(server)];
    const same = (...values: (number | null)[]) => [values, values];
    expect(both()).toEqual(same(null, null, null, null));

    const first = await connect();
    await first.send(10);
    clock.advance(4000);
    expect(both()).toEqual(same(null, null, null, null));
    clock.advance(1000);
    expect(both()).toEqual(same(1, null, 10, 20));

    const second = await connect();
    await second.send(1);
    await first.send(100_000);
    expect(both()).toEqual(same(1, null, 10, 20));
    clock.advance(5000);
    expect(both()).toEqual(same(2, null, 100_011, 200_022));

    // Nothing happens: nothing changes, however long.
    clock.advance(50_000);
    expect(both()).toEqual(same(2, null, 100_011, 200_022));

    await second.send(5);
    await second.end();
    await until(() => open(client) === 1 && open(server) === 1);
    expect(both()).toEqual(same(2, 1, 100_016, 200_032));

    await first.send(7);
    clock.advance(5000);
    expect(both()).toEqual(same(2, 1, 100_023, 200_046));
    await first.end();
    await until(() => open(client) === 0 && open(server) === 0);
    expect(both()).toEqual(same(2, 2, 100_023, 200_046));
    clock.advance(5000);
    expect(both()).toEqual(same(2, 2, 100_023, 200_046));
  });

  it("name the service from the cluster and leave the peer unknown, but for what the endpoint says", async () => {
    const workload = { metadata: { filterMetadata: { istio: { workload: "db;default;db;v1;Kubernetes" } } } };
    const { clock, client, server, connect } = await chain(workload);
    await (await connect()).send(1);
    clock.advance(5000);
    const labels = (proxy: Sidecar) => samples(proxy, "istio_tcp_sent_bytes_total")[0]?.labels;
    const service = {
      destination_service: "db.default.svc.cluster.local",
      destination_service_name: "db",
      destination_service_namespace: "default",
      request_protocol: "tcp",
      response_flags: "-",
    };
    expect(labels(client)).toMatchObject({
      reporter: "source",
      source_workload: "web",
      source_canonical_revision: "v1",
      destination_workload: "db",
      destination_workload_namespace: "default",
      destination_canonical_revision: "v1",
      destination_app: "unknown",
      connection_security_policy: "unknown",
      ...service,
    });
    expect(labels(server)).toMatchObject({
      reporter: "destination",
      source_workload: "unknown",
      source_workload_namespace: "unknown",
      source_canonical_service: "unknown",
      source_canonical_revision: "latest",
      source_principal: "unknown",
      destination_workload: "db",
      destination_app: "db",
      connection_security_policy: "none",
      ...service,
    });
  });

  it("tell a connection that found no host, with its flag", async () => {
    const clock = new VirtualClock();
    const probe = await doubling();
    await closing.pop()?.();
    const { proxy, port } = await sidecar(clock, "web", "OUTBOUND", probe);
    await new Promise<void>((resolve) => {
      const socket = net.connect(port, "127.0.0.1");
      socket.on("error", () => {});
      socket.on("close", () => resolve());
    });
    await until(() => counts(proxy)[1] === 1);
    expect(counts(proxy)).toEqual([1, 1, 0, 0]);
    expect(samples(proxy, "istio_tcp_connections_closed_total")[0]?.labels.response_flags).toBe("UF,URX");
  });
});
