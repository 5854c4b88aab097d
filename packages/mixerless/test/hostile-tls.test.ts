import { once } from "node:events";
import { readdirSync } from "node:fs";
import { request } from "node:http";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { SystemClock } from "@mixerless/clock";
import { createProxy, type Proxy as DataPlane, decodeBootstrap, SecretStore } from "@mixerless/proxy";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { MeshIdentities } from "./traffic/mesh-identities.ts";

/** Of each kind. Some 3000 take half a minute and 40,000 file handles. */
const MANY = Number(process.env.MIXERLESS_HOSTILE ?? 150);
const HONEST = 40;

/** An inbound port in PERMISSIVE, as pilot makes it. */
function bootstrap(): object {
  const manager = {
    name: "envoy.filters.network.http_connection_manager",
    typed_config: {
      "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
      stat_prefix: "in",
      route_config: {
        virtual_hosts: [
          {
            name: "all",
            domains: ["*"],
            routes: [{ match: { prefix: "/" }, direct_response: { status: 200, body: { inline_string: "ok" } } }],
          },
        ],
      },
      http_filters: [
        {
          name: "envoy.filters.http.router",
          typed_config: { "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router" },
        },
      ],
    },
  };
  const tls = {
    name: "envoy.transport_sockets.tls",
    typed_config: {
      "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
      require_client_certificate: true,
      common_tls_context: {
        tls_certificate_sds_secret_configs: [{ name: "default" }],
        validation_context_sds_secret_config: { name: "ROOTCA" },
      },
    },
  };
  const inspector = {
    name: "envoy.filters.listener.tls_inspector",
    typed_config: {
      "@type": "type.googleapis.com/envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector",
    },
  };
  return {
    node: { id: "sidecar~127.0.0.1~a.default~default.svc.cluster.local", cluster: "a" },
    static_resources: {
      listeners: [
        {
          name: "in",
          address: { socket_address: { address: "127.0.0.1", port_value: 0 } },
          listener_filters: [inspector],
          listener_filters_timeout: "0s",
          continue_on_listener_filters_timeout: true,
          filter_chains: [
            { filter_chain_match: { transport_protocol: "tls" }, transport_socket: tls, filters: [manager] },
            { filter_chain_match: { transport_protocol: "raw_buffer" }, filters: [manager] },
          ],
        },
      ],
    },
  };
}

let mesh: MeshIdentities;
let proxy: DataPlane;
let port: number;
let hello: Buffer;

beforeAll(async () => {
  mesh = await MeshIdentities.create();
  const { cert, key } = await mesh.of("spiffe://cluster.local/ns/default/sa/a");
  const secrets = new SecretStore();
  secrets.set("default", { certificateChain: cert, privateKey: key });
  secrets.set("ROOTCA", { trustedCa: mesh.roots });
  const decoded = decodeBootstrap(bootstrap());
  if (decoded.message === undefined) throw new Error(JSON.stringify(decoded.faults));
  proxy = createProxy({
    bootstrap: decoded.message,
    clock: new SystemClock(),
    secrets,
    extensions: {},
    log: () => {},
    random: Math.random,
    uuid: () => "00000000-0000-4000-8000-000000000000",
    onQuit: () => {},
    version: "test",
    drainTime: 0,
  });
  await proxy.start();
  port = Number(proxy.listenerAddress("in")?.split(":")[1]);
  hello = await realHello();
}, 30_000);

afterAll(async () => {
  await proxy?.close();
});

/** What an honest client sends first. */
async function realHello(): Promise<Buffer> {
  const server = createServer();
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  const client = connectTls({ port: (server.address() as AddressInfo).port, host: "127.0.0.1", servername: "a.test" });
  client.on("error", () => {});
  const [socket] = (await once(server, "connection")) as [Socket];
  const [bytes] = (await once(socket, "data")) as [Buffer];
  client.destroy();
  socket.destroy();
  server.close();
  return bytes;
}

/** Ways not to get to the point; each leaves its connection open. */
const KINDS: Readonly<Record<string, () => Buffer[]>> = {
  silent: () => [],
  "half a hello": () => [hello.subarray(0, 40)],
  "a hello byte by byte, without its end": () => [...hello.subarray(0, 20)].map((byte) => Buffer.from([byte])),
  "a hello that promises 16 MiB": () => [Buffer.from([22, 3, 1, 0x40, 0, 1, 0xff, 0xff, 0xff])],
  "a hello of 16 KiB, all but its end": () => [
    Buffer.concat([Buffer.from([22, 3, 1, 0x40, 0, 1, 0, 0x3f, 0xf0]), Buffer.alloc(16_000)]),
  ],
  "records of one byte": () => [
    Buffer.concat(Array.from({ length: 200 }, (_, i) => Buffer.from([22, 3, 1, 0, 1, i === 0 ? 1 : 0]))),
  ],
  "garbage that begins like TLS": () => [Buffer.concat([Buffer.from([22, 3]), Buffer.alloc(500, 0xa5)])],
  "a hello, and then nothing": () => [hello],
  "a hello, and then a record that is cut off": () => [hello, Buffer.from([23, 3, 3, 0x40, 0, 1, 2, 3])],
  "a hello, and then garbage": () => [hello, Buffer.alloc(300, 0x5a)],
};

async function attack(pieces: Buffer[]): Promise<Socket> {
  const socket = connect({ port, host: "127.0.0.1" });
  socket.on("error", () => {});
  // What the proxy says is not read: a client that stalls reads nothing either.
  socket.pause();
  await Promise.race([once(socket, "connect"), once(socket, "close")]);
  for (const piece of pieces) if (!socket.destroyed) socket.write(piece);
  return socket;
}

/** The status that an honest client gets over a new connection. */
async function honest(secure: boolean): Promise<number> {
  const own = await mesh.of("spiffe://cluster.local/ns/default/sa/client");
  const raw = connect({ port, host: "127.0.0.1" });
  const socket = secure ? connectTls({ socket: raw, ...own, rejectUnauthorized: false }) : raw;
  try {
    return await new Promise<number>((resolve, reject) => {
      const sent = request({ createConnection: () => socket, headers: { host: "a" } }, (response) => {
        response.resume().on("end", () => resolve(response.statusCode ?? 0));
      });
      sent.on("error", reject).end();
    });
  } finally {
    socket.destroy();
    raw.destroy();
  }
}

const handles = () => readdirSync("/proc/self/fd").length;
const stat = (name: string) =>
  Number(new RegExp(`^envoy_listener_${name}\\{[^}]*\\} (\\d+)$`, "m").exec(proxy.metrics.text())?.[1] ?? Number.NaN);

describe.runIf(process.platform === "linux")("clients that never get to the point", () => {
  it("take nothing from the others, and leave nothing behind", async () => {
    await honest(true);
    const before = handles();
    const memory = process.memoryUsage.rss();
    const attackers: Socket[] = [];
    for (const pieces of Object.values(KINDS)) {
      for (let i = 0; i < MANY; i += 50)
        attackers.push(...(await Promise.all(Array.from({ length: Math.min(50, MANY - i) }, () => attack(pieces())))));
      // In the thick of it.
      expect([await honest(true), await honest(false)]).toEqual([200, 200]);
    }
    const answers = new Set<number>();
    for (let i = 0; i < HONEST; i++) answers.add(await honest(i % 2 === 0));
    expect([...answers]).toEqual([200]);
    const grown = (process.memoryUsage.rss() - memory) / 2 ** 20;
    if (process.env.MIXERLESS_HOSTILE !== undefined)
      console.info(
        `${attackers.length} attackers: ${handles() - before} handles of both ends, ${grown.toFixed(0)} MB more`,
      );
    // Both ends are in this process; what waits for its hello holds at most 16 MiB, a handshake some 10 KiB.
    expect(grown).toBeLessThan(120 + attackers.length * 0.06);
    for (const socket of attackers) socket.destroy();
    while (handles() > before + 2) await new Promise((wake) => setImmediate(wake));
    expect(stat("ssl_handshake")).toBeGreaterThan(HONEST / 2);
  }, 120_000);
});
