import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { connect, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect as connectTls } from "node:tls";
import { SystemClock } from "@mixerless/clock";
import { createKeyAndRequest } from "@mixerless/identity";
import { CertificateAuthority, createRoot, readSigner } from "@mixerless/identity/authority";
import { TestIssuer } from "@mixerless/identity/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findProgram, freePort, titled } from "../peers.ts";
import { startEmbedded } from "./embedded-proxy.ts";
import { EnvoyServer } from "./envoy-server.ts";

const program = findProgram("envoy");
const without = [program === null && "no envoy, npm run interop:setup installs it"];
const EXTENSION = "type.googleapis.com/envoy.extensions";
const ISSUER = new TestIssuer("https://a");
const DAY = 86_400_000;

const NONE = { permissions: [{ not_rule: { any: true } }], principals: [{ any: true }] };

/** Shaped as pilot writes them, a trial beside what is in force. */
const RULES = {
  rules: { action: "DENY", policies: { p: NONE } },
  shadow_rules: { action: "ALLOW", policies: { q: NONE } },
  shadow_rules_stat_prefix: "istio_dry_run_allow_",
};

const ABOUT = /^(?:envoy_)?(?:listener[._](?!admin|manager)|http[._].*(?:rbac|jwt_authn))|rbac[._"]/;
/**
 * No counters of Envoy's: limits that it does not have or counts with others. Without a cache it counts every token as
 * missing in it.
 */
const UNLIKE = /pre_cx_overflow|handshake_(?:overflow|rate_limited|timeout)|jwt_cache_miss/;

interface Ports {
  readonly http: number;
  readonly tls: number;
  readonly tcp: number;
  readonly narrow: number;
  readonly admin: number;
}

interface Peer {
  readonly ports: Ports;
  readonly page: (path: string) => Promise<string>;
}

describe.skipIf(without.some(Boolean))(titled("names of security's and listeners' stats", without), () => {
  let folder: string;
  let origin: Server;
  let pair: { readonly cert: string; readonly key: string; readonly root: string };
  const stops: (() => Promise<void>)[] = [];
  const peers = {} as Record<"envoy" | "ours", Peer>;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "mixerless-stats-"));
    pair = await credentials();
    origin = createServer((socket) => socket.on("error", () => {}).end("hello")).listen(0, "127.0.0.1");
    await once(origin, "listening");
    for (const name of ["envoy", "ours"] as const) {
      const ports: Ports = {
        ...{ http: await freePort(), tls: await freePort(), tcp: await freePort() },
        ...{ narrow: await freePort(), admin: await freePort() },
      };
      const config = bootstrap(ports, (origin.address() as { port: number }).port, pair);
      const admin = `http://127.0.0.1:${ports.admin}`;
      peers[name] = { ports, page: async (path) => (await fetch(admin + path)).text() };
      if (name === "ours") {
        const proxy = await startEmbedded(config);
        stops.push(() => proxy.close());
      } else {
        const file = join(folder, "envoy.json");
        await writeFile(file, JSON.stringify(config));
        const envoy = await EnvoyServer.start(program ?? "", file, admin);
        stops.push(() => envoy.stop());
      }
      await use(ports);
    }
  });

  afterAll(async () => {
    for (const stop of stops) await stop();
    origin?.close();
    await rm(folder, { recursive: true, force: true });
  });

  /** Something of everything that is counted. */
  async function use({ http, tls, tcp, narrow }: Ports): Promise<void> {
    const authorization = `Bearer ${ISSUER.token({ sub: "s" })}`;
    for (const headers of [{ authorization }, { authorization: "Bearer x" }, {}])
      await new Promise<void>((resolve, reject) => {
        request({ host: "127.0.0.1", port: http, headers, agent: false }, (response) => {
          response.resume().on("end", resolve);
        })
          .on("error", reject)
          .end();
      });
    const to = (port: number) => ({ host: "127.0.0.1", port, rejectUnauthorized: false });
    await ended(connectTls({ ...to(tls), cert: pair.cert, key: pair.key }));
    await ended(connectTls(to(tls)));
    for (const port of [tcp, narrow]) {
      const socket = connect(to(port));
      socket.write("GET / HTTP/1.1\r\n\r\n");
      await ended(socket);
    }
  }

  /** Lines about listeners, TLS, policies and tokens; ports by the name of their listener, labels in order. */
  async function lines(name: keyof typeof peers, path: string): Promise<string[]> {
    const { page, ports } = peers[name];
    const named = Object.entries(ports).reduce(
      (text, [listener, port]) => text.replaceAll(`127.0.0.1_${port}`, listener),
      await page(path),
    );
    return named
      .split("\n")
      .filter((line) => !line.startsWith("#") && ABOUT.test(line) && !UNLIKE.test(line))
      .map((line) => line.replace(/\{(.*)\}/, (_all, labels: string) => `{${labels.split(",").sort().join(",")}}`))
      .sort();
  }

  describe.each(["/stats", "/stats/prometheus"])("%s", (path) => {
    it("names and counts what it has as Envoy", async () => {
      const theirs = new Set(await lines("envoy", path));
      const own = await lines("ours", path);
      expect(own.filter((line) => !theirs.has(line))).toEqual([]);
      expect(own.length).toBeGreaterThan(40);
    });

    it("has everything that Envoy counts of policies and tokens", async () => {
      const of = async (name: keyof typeof peers) =>
        (await lines(name, path)).filter((line) => /rbac|jwt_authn/.test(line));
      expect(await of("ours")).toEqual(await of("envoy"));
    });
  });

  it("has the same number of series as of lines", async () => {
    expect((await lines("ours", "/stats/prometheus")).length).toBe((await lines("ours", "/stats")).length);
  });
});

/** Resolves when the other side has ended it, one way or the other. */
function ended(socket: Socket): Promise<void> {
  socket.on("error", () => {}).resume();
  return new Promise((resolve) => socket.on("close", () => resolve()));
}

async function credentials() {
  const clock = new SystemClock();
  const now = clock.now();
  const signer = await readSigner(await createRoot("cluster.local", now, DAY), now);
  const id = { trustDomain: "cluster.local", namespace: "default", serviceAccount: "a" };
  const { key, csr } = await createKeyAndRequest(id);
  const { chain } = await new CertificateAuthority({ clock, signer: () => signer }).issue(csr, id, 0);
  return { cert: chain.slice(0, -1).join(""), key, root: signer.root };
}

function bootstrap(ports: Ports, origin: number, { cert, key, root }: { cert: string; key: string; root: string }) {
  const address = (port: number) => ({ socket_address: { address: "127.0.0.1", port_value: port } });
  const typed = (name: string, type: string, config: object) => ({
    name,
    typed_config: { "@type": `${EXTENSION}.${type}`, ...config },
  });
  const manager = typed("hcm", "filters.network.http_connection_manager.v3.HttpConnectionManager", {
    stat_prefix: "in",
    route_config: {
      virtual_hosts: [
        { name: "all", domains: ["*"], routes: [{ match: { prefix: "/" }, direct_response: { status: 200 } }] },
      ],
    },
    http_filters: [
      typed("jwt", "filters.http.jwt_authn.v3.JwtAuthentication", {
        providers: { a: { issuer: ISSUER.issuer, local_jwks: { inline_string: ISSUER.jwks } } },
        rules: [
          {
            match: { prefix: "/" },
            requires: { requires_any: { requirements: [{ provider_name: "a" }, { allow_missing: {} }] } },
          },
        ],
      }),
      typed("rbac", "filters.http.rbac.v3.RBAC", RULES),
      typed("router", "filters.http.router.v3.Router", {}),
    ],
  });
  const gate = typed("rbac", "filters.network.rbac.v3.RBAC", { ...RULES, stat_prefix: "tcp." });
  const tcp = typed("tcp", "filters.network.tcp_proxy.v3.TcpProxy", { stat_prefix: "inbound", cluster: "origin" });
  const socket = typed("envoy.transport_sockets.tls", "transport_sockets.tls.v3.DownstreamTlsContext", {
    require_client_certificate: true,
    common_tls_context: {
      tls_certificates: [{ certificate_chain: { inline_string: cert }, private_key: { inline_string: key } }],
      validation_context: { trusted_ca: { inline_string: root } },
    },
  });
  const inspector = typed("tls", "filters.listener.tls_inspector.v3.TlsInspector", {});
  const listener = (name: keyof Ports, chain: object, more: object = {}) => ({
    name,
    address: address(ports[name]),
    filter_chains: [chain],
    ...more,
  });
  return {
    node: { id: "stats", cluster: "stats" },
    admin: { address: address(ports.admin) },
    static_resources: {
      clusters: [
        {
          name: "origin",
          type: "STATIC",
          load_assignment: {
            cluster_name: "origin",
            endpoints: [{ lb_endpoints: [{ endpoint: { address: address(origin) } }] }],
          },
        },
      ],
      listeners: [
        listener("http", { filters: [manager] }),
        listener("tls", { filters: [tcp], transport_socket: socket }),
        listener("tcp", { filters: [gate, tcp] }),
        listener(
          "narrow",
          { filter_chain_match: { transport_protocol: "tls" }, filters: [tcp] },
          { listener_filters: [inspector] },
        ),
      ],
    },
  };
}
