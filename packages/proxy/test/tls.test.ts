import { once } from "node:events";
import { createServer, request as httpRequest, type Server } from "node:http";
import { type AddressInfo, connect as connectTcp } from "node:net";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { SystemClock } from "@mixerless/clock";
import { formatFault } from "@mixerless/wire";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createProxy, type Proxy as DataPlane, decodeBootstrap, SecretStore } from "../src/index.ts";
import { TestAuthority } from "../src/tls/testing/identities.ts";

const clock = new SystemClock();
const open: (() => unknown)[] = [];
let authority: TestAuthority;
let origin: Server;

const type = (name: string) => ({ "@type": `type.googleapis.com/envoy.extensions.${name}` });
const socketAddress = (port: number) => ({ socketAddress: { address: "127.0.0.1", portValue: port } });

const MESH = {
  tlsCertificateSdsSecretConfigs: [{ name: "default" }],
  combinedValidationContext: {
    defaultValidationContext: {
      matchTypedSubjectAltNames: [{ sanType: "URI", matcher: { prefix: "spiffe://cluster.local/" } }],
    },
    validationContextSdsSecretConfig: { name: "ROOTCA" },
  },
  alpnProtocols: ["istio", "http/1.1"],
};

const SERVER_TLS = {
  name: "envoy.transport_sockets.tls",
  typedConfig: {
    ...type("transport_sockets.tls.v3.DownstreamTlsContext"),
    requireClientCertificate: true,
    commonTlsContext: MESH,
  },
};

const CLIENT_TLS = {
  name: "tlsMode-istio",
  match: { tlsMode: "istio" },
  transportSocket: {
    name: "envoy.transport_sockets.tls",
    typedConfig: {
      ...type("transport_sockets.tls.v3.UpstreamTlsContext"),
      sni: "outbound_.80_._.server.default.svc.cluster.local",
      commonTlsContext: MESH,
    },
  },
};

const IN_CLEAR = {
  name: "tlsMode-disabled",
  match: {},
  transportSocket: { name: "envoy.transport_sockets.raw_buffer" },
};

/** Answers by itself and says which chain the connection came to and whom TLS says it is. */
function chain(name: string, match: object, extra: object = {}, cluster?: string) {
  const said = {
    status: 200,
    body: { inlineString: name },
  };
  const manager = {
    ...type("filters.network.http_connection_manager.v3.HttpConnectionManager"),
    statPrefix: name,
    forwardClientCertDetails: "APPEND_FORWARD",
    setCurrentClientCertDetails: { uri: true },
    routeConfig: {
      virtualHosts: [
        {
          name: "all",
          domains: ["*"],
          routes: [
            { match: { prefix: "/" }, ...(cluster === undefined ? { directResponse: said } : { route: { cluster } }) },
          ],
          responseHeadersToAdd: [
            { header: { key: "x-peer", value: "%DOWNSTREAM_PEER_URI_SAN%" } },
            { header: { key: "x-upstream-peer", value: "%UPSTREAM_PEER_URI_SAN%" } },
            { header: { key: "x-tls", value: "%DOWNSTREAM_TLS_VERSION%" } },
          ],
        },
      ],
    },
    httpFilters: [{ name: "router", typedConfig: type("filters.http.router.v3.Router") }],
  };
  return { name, filterChainMatch: match, filters: [{ name: "http", typedConfig: manager }], ...extra };
}

const INSPECTOR = {
  name: "envoy.filters.listener.tls_inspector",
  typedConfig: type("filters.listener.tls_inspector.v3.TlsInspector"),
};

async function start(
  listener: object,
  clusters: readonly object[] = [],
  serviceAccount = "server",
  time: SystemClock = clock,
) {
  const decoded = decodeBootstrap({
    staticResources: {
      listeners: [{ name: "door", address: socketAddress(0), listenerFilters: [INSPECTOR], ...listener }],
      clusters,
    },
  });
  if (decoded.faults !== undefined) throw new Error(decoded.faults.map(formatFault).join("\n"));
  const secrets = new SecretStore();
  secrets.set("default", await authority.identity(serviceAccount));
  secrets.set("ROOTCA", authority.roots);
  const proxy: DataPlane = createProxy({
    bootstrap: decoded.message,
    clock: time,
    extensions: {},
    log: () => {},
    random: () => 0.5,
    uuid: () => "id",
    onQuit: () => {},
    version: "test",
    secrets,
  });
  await proxy.start();
  open.push(() => proxy.close());
  return { proxy, secrets, port: Number(/:(\d+)$/.exec(proxy.listenerAddress("door") ?? "")?.[1]) };
}

interface Started {
  readonly secrets: SecretStore;
  /** Sets the wall clock so far off. */
  readonly jump: (milliseconds: number) => void;
}

interface Answer {
  readonly status: number;
  readonly body: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

function ask(port: number, options: object = { agent: false }): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const call = httpRequest({ host: "127.0.0.1", port, ...options }, (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (chunk: string) => {
        body += chunk;
      });
      response.on("end", () => resolve({ status: response.statusCode ?? 0, body, headers: response.headers }));
    });
    call.on("error", reject);
    call.end();
  });
}

/** Connects with an identity of the mesh. */
async function connectSecurely(port: number, serviceAccount: string, tls: object = {}): Promise<TLSSocket> {
  const { certificateChain: cert, privateKey: key } = await authority.identity(serviceAccount);
  const socket = connectTls({ host: "127.0.0.1", port, cert, key, rejectUnauthorized: false, ...tls });
  await once(socket, "secureConnect");
  return socket;
}

/** Asks over TLS with an identity of the mesh. */
async function askSecurely(port: number, serviceAccount: string, tls: object = {}): Promise<Answer> {
  const socket = await connectSecurely(port, serviceAccount, tls);
  return ask(port, { createConnection: () => socket });
}

/** Asks once more over a connection that stays. */
async function askAgain(socket: TLSSocket): Promise<string> {
  socket.write("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
  const [bytes] = (await once(socket, "data")) as [Buffer];
  return bytes.toString().split("\r\n")[0] ?? "";
}

function cluster(name: string, endpoints: readonly { readonly port: number; readonly metadata?: object }[]) {
  return {
    name,
    type: "STATIC",
    connectTimeout: "5s",
    transportSocketMatches: [CLIENT_TLS, IN_CLEAR],
    loadAssignment: {
      clusterName: name,
      endpoints: [
        {
          lbEndpoints: endpoints.map(({ port, metadata }) => ({
            endpoint: { address: socketAddress(port) },
            ...(metadata === undefined
              ? {}
              : { metadata: { filterMetadata: { "envoy.transport_socket_match": metadata } } }),
          })),
        },
      ],
    },
  };
}

beforeAll(async () => {
  authority = await TestAuthority.create(clock);
  origin = createServer((_request, response) => response.end("origin")).listen(0, "127.0.0.1");
  await once(origin, "listening");
});

afterAll(async () => {
  for (const close of open.splice(0).reverse()) await close();
  origin.close();
});

const PERMISSIVE = {
  filterChains: [
    chain("secured", { transportProtocol: "tls" }, { transportSocket: SERVER_TLS }),
    chain("plain", { transportProtocol: "raw_buffer" }),
  ],
};

describe("a listener", () => {
  it("takes both on one port where it may, and tells who asks by TLS", async () => {
    const { port } = await start(PERMISSIVE);
    expect(await ask(port)).toMatchObject({ status: 200, body: "plain", headers: { server: "envoy" } });
    expect(await askSecurely(port, "client")).toMatchObject({
      body: "secured",
      headers: { "x-peer": "spiffe://cluster.local/ns/default/sa/client", "x-tls": "TLSv1.3" },
    });
  });

  it("takes a hello that comes byte by byte, and a request that comes with the first bytes", async () => {
    const { port } = await start(PERMISSIVE);
    const raw = connectTcp(port, "127.0.0.1");
    raw.setNoDelay(true);
    for (const byte of "GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n") raw.write(byte);
    let text = "";
    for await (const chunk of raw) text += chunk;
    expect(text).toMatch(/^HTTP\/1\.1 200 OK[\s\S]*plain$/);
  });

  it("that must have mutual TLS refuses everything else, and counts it", async () => {
    const { port, proxy } = await start({ filterChains: [PERMISSIVE.filterChains[0]] });
    await expect(ask(port)).rejects.toThrow();
    await expect(
      new Promise((_resolve, reject) => {
        const anonymous = connectTls({ host: "127.0.0.1", port, rejectUnauthorized: false });
        anonymous.on("secureConnect", () => anonymous.write("GET / HTTP/1.1\r\nhost: a\r\n\r\n"));
        anonymous.on("error", reject).on("close", () => reject(new Error("closed")));
      }),
    ).rejects.toThrow();
    expect(proxy.metrics.text()).toContain(
      'envoy_listener_ssl_fail_verify_no_cert{envoy_listener_address="127.0.0.1_0"} 1',
    );
    expect((await askSecurely(port, "client")).status).toBe(200);
  });

  it.each([
    [
      "its root is dropped",
      async ({ secrets }: Started) => secrets.set("ROOTCA", (await TestAuthority.create(clock)).roots),
    ],
    [
      "its certificate is renewed",
      async ({ secrets }: Started) => secrets.set("default", await authority.identity("b")),
    ],
    ["certificates have expired", async ({ jump }: Started) => jump(1000 * 24 * 3_600_000)],
    ["the clock is before certificates", async ({ jump }: Started) => jump(-1000 * 24 * 3_600_000)],
  ])("keeps what is open when %s, as Envoy does, and judges who comes after that", async (what, change) => {
    let offset = 0;
    const time = Object.assign(Object.create(clock) as SystemClock, { now: () => clock.now() + offset });
    const jump = (by: number) => {
      offset = by;
    };
    const { port, secrets } = await start({ filterChains: [PERMISSIVE.filterChains[0]] }, [], "server", time);
    const early = await connectSecurely(port, "client");
    expect(await askAgain(early)).toBe("HTTP/1.1 200 OK");
    await change({ secrets, jump });
    const late = askSecurely(port, "client");
    if (what === "its certificate is renewed") expect((await late).status).toBe(200);
    else await expect(late).rejects.toThrow();
    expect(await askAgain(early)).toBe("HTTP/1.1 200 OK");
    early.destroy();
  });

  it("chooses among its chains by server name and by protocol", async () => {
    const tls = { transportSocket: SERVER_TLS };
    const { port } = await start({
      filterChains: [
        chain("one", { transportProtocol: "tls", serverNames: ["one.example"] }, tls),
        chain("wild", { transportProtocol: "tls", serverNames: ["*.example"] }, tls),
        chain("istio", { transportProtocol: "tls", applicationProtocols: ["istio"] }, tls),
      ],
    });
    expect((await askSecurely(port, "c", { servername: "ONE.example" })).body).toBe("one");
    expect((await askSecurely(port, "c", { servername: "two.example" })).body).toBe("wild");
    expect((await askSecurely(port, "c", { ALPNProtocols: ["istio"] })).body).toBe("istio");
    await expect(askSecurely(port, "c", { servername: "elsewhere.test" })).rejects.toThrow();
  });

  it("refuses what it cannot secure, by field", () => {
    const without = { ...SERVER_TLS, typedConfig: { ...SERVER_TLS.typedConfig, commonTlsContext: {} } };
    const filterChains = [chain("x", {}, { transportSocket: without })];
    const decoded = decodeBootstrap({
      staticResources: { listeners: [{ name: "door", address: socketAddress(0), filterChains }] },
    });
    const proxy = createProxy({
      bootstrap: decoded.message ?? expect.fail("decodes"),
      clock,
      extensions: {},
      log: () => {},
      random: () => 0.5,
      uuid: () => "id",
      onQuit: () => {},
      version: "test",
    });
    return expect(proxy.start()).rejects.toThrow(/transportSocket\.typedConfig\.commonTlsContext\.tlsCertificates/);
  });
});

describe("a cluster", () => {
  it("talks to each host as its metadata say, and believes only the mesh", async () => {
    const secured = await start({ filterChains: [PERMISSIVE.filterChains[0]] });
    const plainPort = (origin.address() as AddressInfo).port;
    const client = await start(
      { filterChains: [chain("out", {}, {}, "mixed")], listenerFilters: [] },
      [cluster("mixed", [{ port: secured.port, metadata: { tlsMode: "istio" } }, { port: plainPort }])],
      "client",
    );
    const answers = [await ask(client.port), await ask(client.port)].sort((a, b) => (a.body < b.body ? -1 : 1));
    expect(answers).toMatchObject([
      { body: "origin" },
      {
        body: "secured",
        headers: {
          "x-peer": "spiffe://cluster.local/ns/default/sa/client",
          "x-upstream-peer": "spiffe://cluster.local/ns/default/sa/server",
        },
      },
    ]);
  });

  it("shows a renewed certificate on its next connections, and fails with a reason where it has none", async () => {
    const secured = await start({ filterChains: [PERMISSIVE.filterChains[0]] });
    const client = await start(
      { filterChains: [chain("out", {}, {}, "c")], listenerFilters: [] },
      [{ ...cluster("c", [{ port: secured.port, metadata: { tlsMode: "istio" } }]), maxRequestsPerConnection: 1 }],
      "before",
    );
    const peer = async () => (await ask(client.port)).headers["x-peer"];
    expect(await peer()).toContain("sa/before");
    client.secrets.set("default", await authority.identity("after"));
    expect(await peer()).toContain("sa/after");
    client.secrets.remove("default");
    expect(await ask(client.port)).toMatchObject({ status: 503 });
  });
});
