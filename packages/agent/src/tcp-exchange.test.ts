import net from "node:net";
import { connect as connectTls } from "node:tls";
import { VirtualClock } from "@mixerless/clock";
import { createKeyAndRequest } from "@mixerless/identity";
import { CertificateAuthority, createRoot, readSigner } from "@mixerless/identity/authority";
import { parseExposition } from "@mixerless/metrics";
import { createProxy, decodeBootstrap, SecretStore, type Proxy as Sidecar } from "@mixerless/proxy";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createBuiltInExtensions } from "./built-in-extensions.ts";

const SIX = "six up";
const TWELVE = "twelve down!";
const IP = "127.0.0.1";
const closing: (() => Promise<unknown> | unknown)[] = [];

let clock: VirtualClock;
let authority: CertificateAuthority;
let root: string;

beforeEach(async () => {
  // OpenSSL has a clock of its own.
  clock = new VirtualClock(Date.now());
  const signer = await readSigner(await createRoot("cluster.local", clock.now(), 1e10), clock.now());
  root = signer.root;
  authority = new CertificateAuthority({ clock, signer: () => signer });
});

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function pair(serviceAccount: string, namespace = "default") {
  const id = { trustDomain: "cluster.local", namespace, serviceAccount };
  const { key, csr } = await createKeyAndRequest(id);
  const { chain } = await authority.issue(csr, id, 0);
  return { key, cert: chain.slice(0, -1).join("") };
}

const socketAddress = (portValue: number) => ({ socketAddress: { address: IP, portValue } });

function tls(type: "Upstream" | "Downstream", alpnProtocols: string[]) {
  const sdsConfig = { ads: {}, resourceApiVersion: "V3" };
  const common = {
    alpnProtocols,
    tlsCertificateSdsSecretConfigs: [{ name: "default", sdsConfig }],
    validationContextSdsSecretConfig: { name: "ROOTCA", sdsConfig },
  };
  return {
    name: "envoy.transport_sockets.tls",
    typedConfig: {
      "@type": `type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.${type}TlsContext`,
      commonTlsContext: common,
      ...(type === "Downstream" ? { requireClientCertificate: true } : {}),
    },
  };
}

interface SidecarOptions {
  readonly workload: string;
  readonly direction: "INBOUND" | "OUTBOUND";
  readonly port: number;
  readonly alpn: string[];
  readonly namespace?: string;
}

/** By this a server sees that a client offers none of its protocols, which must not end the handshake. */
const INSPECTOR = {
  name: "envoy.filters.listener.tls_inspector",
  typedConfig: {
    "@type": "type.googleapis.com/envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector",
  },
};

/** A sidecar with one TCP listener, as the control plane configures it under mutual TLS. */
async function sidecar({ workload, direction, port, alpn, namespace = "default" }: SidecarOptions) {
  const inbound = direction === "INBOUND";
  const type = "type.googleapis.com/envoy";
  const filters = [
    ...(inbound
      ? [{ name: "istio.metadata_exchange", "@type": `${type}.tcp.metadataexchange.config.MetadataExchange` }]
      : []),
    { name: "istio.stats", "@type": "type.googleapis.com/stats.PluginConfig" },
    {
      name: "envoy.filters.network.tcp_proxy",
      "@type": `${type}.extensions.filters.network.tcp_proxy.v3.TcpProxy`,
      ...{ statPrefix: "db", cluster: "db" },
    },
  ].map(({ name, ...typedConfig }) => ({ name, typedConfig }));
  const bootstrap = decodeBootstrap({
    node: {
      id: `sidecar~${IP}~${workload}.${namespace}~${namespace}.svc.cluster.local`,
      metadata: {
        ...{ WORKLOAD_NAME: workload, NAMESPACE: namespace, CLUSTER_ID: "Kubernetes" },
        LABELS: { app: workload, version: "v1", "service.istio.io/canonical-name": workload },
      },
    },
    staticResources: {
      clusters: [
        {
          ...{ name: "db", type: "STATIC" },
          ...(inbound ? {} : { transportSocket: tls("Upstream", alpn) }),
          loadAssignment: {
            clusterName: "db",
            endpoints: [{ lbEndpoints: [{ endpoint: { address: socketAddress(port) } }] }],
          },
        },
      ],
      listeners: [
        {
          ...{ name: "tcp", address: socketAddress(0), trafficDirection: direction },
          ...(inbound ? { listenerFilters: [INSPECTOR] } : {}),
          filterChains: [{ filters, ...(inbound ? { transportSocket: tls("Downstream", alpn) } : {}) }],
        },
      ],
    },
  } as Parameters<typeof decodeBootstrap>[0]);
  if (bootstrap.faults !== undefined) throw new Error(JSON.stringify(bootstrap.faults));
  const secrets = new SecretStore();
  const { key, cert } = await pair(workload);
  secrets.set("ROOTCA", { trustedCa: root });
  secrets.set("default", { certificateChain: cert, privateKey: key });
  const proxy = createProxy({
    ...{ bootstrap: bootstrap.message, clock, secrets, version: "test" },
    extensions: createBuiltInExtensions({ clock, environment: {} }).table,
    ...{ log: () => {}, random: () => 0.5, uuid: () => "id", onQuit: () => {} },
  });
  closing.push(() => proxy.close());
  await proxy.start();
  const address = proxy.listenerAddress("tcp") ?? "";
  return { proxy, port: Number(address.slice(address.lastIndexOf(":") + 1)) };
}

/** The application: answers six bytes with twelve, and remembers what it was sent. */
async function application(): Promise<{ port: number; seen: string[] }> {
  const seen: string[] = [];
  const sockets = new Set<net.Socket>();
  const server = net.createServer({ allowHalfOpen: true }, (socket) => {
    let text = "";
    sockets.add(socket.on("error", () => {}));
    socket.on("data", (chunk: Buffer) => {
      text += chunk.toString("latin1");
      if (text === SIX) socket.write(TWELVE);
    });
    socket.on("end", () => {
      seen.push(text);
      socket.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, IP, resolve));
  closing.push(() => {
    for (const socket of sockets) socket.destroy();
    return new Promise((resolve) => server.close(resolve));
  });
  return { port: (server.address() as net.AddressInfo).port, seen };
}

/** One connection: six bytes up; resolves with what came down when it has ended. */
function call(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = "";
    const socket = net.connect(port, IP, () => socket.write(SIX));
    socket.on("data", (chunk: Buffer) => {
      text += chunk.toString("latin1");
      if (text.length >= TWELVE.length) socket.end();
    });
    socket.on("close", () => resolve(text));
    socket.on("error", reject);
  });
}

function samples(proxy: Sidecar, name: string) {
  const parsed = parseExposition(proxy.metrics.text());
  if ("faults" in parsed) throw new Error(JSON.stringify(parsed.faults));
  return parsed.samples.filter((sample) => sample.name === name);
}

const count = (proxy: Sidecar, name: string) => samples(proxy, `envoy_metadata_exchange_${name}`)[0]?.value ?? 0;
const total = (proxy: Sidecar, name: string) => {
  const found = samples(proxy, `istio_tcp_${name}_total`);
  expect(found).toHaveLength(1);
  return found[0];
};

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
}

const closed = (proxy: Sidecar) => samples(proxy, "istio_tcp_connections_closed_total")[0]?.value ?? 0;
const EXCHANGE = ["istio-peer-exchange", "istio"];
const SERVED = ["istio-peer-exchange", "h2", "http/1.1"];

async function mesh(offered = EXCHANGE, clientNamespace = "default") {
  const app = await application();
  const server = await sidecar({ workload: "db", direction: "INBOUND", port: app.port, alpn: SERVED });
  const client = await sidecar({
    ...{ workload: "web", direction: "OUTBOUND", port: server.port, alpn: offered, namespace: clientNamespace },
  });
  return { app, server, client };
}

const DB = { destination_workload: "db", destination_app: "db", destination_version: "v1" };
const WEB = { source_workload: "web", source_app: "web", source_version: "v1" };
const PRINCIPALS = {
  source_principal: "spiffe://cluster.local/ns/default/sa/web",
  destination_principal: "spiffe://cluster.local/ns/default/sa/db",
};

describe("two sidecars that agree on the exchange at the beginning of a TCP connection", () => {
  it("know each other, count exactly, and keep their frames from the applications", async () => {
    const { app, server, client } = await mesh();
    for (let i = 0; i < 10; i++) expect(await call(client.port)).toBe(TWELVE);
    await until(() => closed(client.proxy) === 10 && closed(server.proxy) === 10);
    expect(app.seen).toEqual(Array.from({ length: 10 }, () => SIX));
    for (const { proxy } of [client, server]) {
      const values = ["connections_opened", "connections_closed", "received_bytes", "sent_bytes"].map(
        (name) => total(proxy, name)?.value,
      );
      expect(values).toEqual([10, 10, 60, 120]);
      expect(total(proxy, "sent_bytes")?.labels).toMatchObject({ ...WEB, ...DB, ...PRINCIPALS });
      expect([count(proxy, "alpn_protocol_found"), count(proxy, "metadata_added")]).toEqual([10, 10]);
    }
    expect(total(server.proxy, "sent_bytes")?.labels).toMatchObject({ connection_security_policy: "mutual_tls" });
  });

  it("carry the bytes untouched where they do not agree, and know no more than the certificates", async () => {
    const { server, client } = await mesh(["istio"]);
    expect(await call(client.port)).toBe(TWELVE);
    await until(() => closed(client.proxy) === 1 && closed(server.proxy) === 1);
    expect([count(client.proxy, "alpn_protocol_not_found"), count(server.proxy, "alpn_protocol_not_found")]).toEqual([
      1, 1,
    ]);
    expect(total(server.proxy, "received_bytes")).toMatchObject({
      value: 6,
      labels: {
        ...{ source_workload: "unknown", source_canonical_revision: "latest", ...PRINCIPALS },
        ...{ source_workload_namespace: "default", connection_security_policy: "mutual_tls" },
      },
    });
  });

  it("believe no frame that claims another namespace than the certificate's, and count it", async () => {
    const { server, client } = await mesh(EXCHANGE, "elsewhere");
    expect(await call(client.port)).toBe(TWELVE);
    await until(() => closed(server.proxy) === 1);
    expect(total(server.proxy, "received_bytes")?.labels).toMatchObject({
      ...{ source_workload: "unknown", source_workload_namespace: "default" },
    });
    expect(samples(server.proxy, "mixerless_peer_metadata_refused_total")).toMatchObject([
      { value: 1, labels: { claim: "namespace" } },
    ]);
  });
});

describe("a client that agrees and then sends something else", () => {
  /** Sends bytes as a mesh client that has agreed to the exchange; resolves with what the application saw. */
  async function hostile(...pieces: Buffer[]) {
    const app = await application();
    const server = await sidecar({ workload: "db", direction: "INBOUND", port: app.port, alpn: SERVED });
    const socket = connectTls({
      ...{ port: server.port, host: IP, rejectUnauthorized: false, ALPNProtocols: EXCHANGE },
      ...(await pair("web")),
    });
    closing.push(() => socket.destroy());
    await new Promise<void>((resolve) => socket.once("secureConnect", resolve));
    for (const piece of pieces) socket.write(piece);
    socket.resume().end();
    await until(() => app.seen.length === 1);
    return { seen: app.seen[0] ?? "", proxy: server.proxy };
  }

  const frame = (length: number, payload = "") => {
    const head = Buffer.from([0x3d, 0x23, 0x04, 0x67, 0, 0, 0, 0]);
    head.writeUInt32BE(length, 4);
    return Buffer.concat([head, Buffer.from(payload, "latin1")]);
  };

  it("is passed on whole, without a frame", async () => {
    const { seen, proxy } = await hostile(Buffer.from("no frame at all"));
    expect(seen).toBe("no frame at all");
    expect(count(proxy, "initial_header_not_found")).toBe(1);
  });

  it("is passed on whole, with a frame that never ends", async () => {
    const { seen } = await hostile(frame(1000, "abc"));
    expect(seen).toBe(frame(1000, "abc").toString("latin1"));
  });

  it("loses a frame of rubbish and keeps what follows", async () => {
    const { seen, proxy } = await hostile(frame(3, "abcworld"));
    expect(seen).toBe("world");
    expect(count(proxy, "header_not_found")).toBe(1);
  });

  it("holds no memory by a frame of 4 GiB: its bytes are dropped as they come", async () => {
    const { seen, proxy } = await hostile(frame(0xffffffff), Buffer.alloc(300_000, 120));
    expect(seen).toBe("");
    expect(count(proxy, "header_not_found")).toBe(1);
  });

  it("may send a frame byte by byte", async () => {
    const bytes = [...frame(3, "abcx")].map((byte) => Buffer.from([byte]));
    expect((await hostile(...bytes)).seen).toBe("x");
  });
});
