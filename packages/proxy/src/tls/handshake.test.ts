import { createHash, X509Certificate } from "node:crypto";
import { once } from "node:events";
import { connect as connectTcp, createServer, type Server, type Socket } from "node:net";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { DeadlineWheel, SystemClock, VirtualClock } from "@mixerless/clock";
import { MetricStore } from "@mixerless/metrics";
import { decodeJson, formatFault } from "@mixerless/wire";
import { CommonTlsContextSchema } from "@mixerless/wire/envoy/extensions/transport_sockets/tls/v3/tls";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { SecuredSocket } from "../transport/transport-factory.ts";
import { ClientHelloInspector } from "./client-hello.ts";
import { compileCommonTls } from "./compile-tls.ts";
import { DownstreamTls, type DownstreamTlsOptions } from "./downstream-tls.ts";
import { type KeyPair, SecretStore } from "./secret-store.ts";
import { createTlsStats } from "./stats.ts";
import { TestAuthority } from "./testing/identities.ts";
import { UpstreamTls } from "./upstream-tls.ts";

const system = new SystemClock();
const open: { close?(): unknown; destroy?(): unknown }[] = [];
let clock: VirtualClock;
let metrics: MetricStore;
let authority: TestAuthority;

beforeEach(async () => {
  clock = new VirtualClock(system.now());
  metrics = new MetricStore({ clock });
  authority = await TestAuthority.create(system);
});

afterEach(() => {
  for (const entry of open.splice(0)) entry.destroy === undefined ? entry.close?.() : entry.destroy();
});

const MESH = {
  tlsCertificateSdsSecretConfigs: [{ name: "default" }],
  combinedValidationContext: {
    defaultValidationContext: {
      matchTypedSubjectAltNames: [{ sanType: "URI", matcher: { prefix: "spiffe://cluster.local/" } }],
    },
    validationContextSdsSecretConfig: { name: "ROOTCA" },
  },
};

function config(json: object) {
  const decoded = decodeJson(CommonTlsContextSchema, json);
  if (decoded.faults !== undefined) throw new Error(decoded.faults.map(formatFault).join("\n"));
  const faults: { path: string; message: string }[] = [];
  const tls = compileCommonTls(decoded.message, "tls", faults);
  expect(faults).toEqual([]);
  return tls;
}

interface Outcome {
  readonly secured: SecuredSocket | null;
  readonly details: string;
}

/** A server of mesh TLS that tells how each handshake ended. */
async function serve(
  json: object = MESH,
  options: Partial<DownstreamTlsOptions> = {},
  before: (raw: Socket) => Promise<unknown> = async () => {},
  offered: readonly string[] = [],
) {
  const secrets = new SecretStore();
  secrets.set("default", await authority.identity("server"));
  secrets.set("ROOTCA", authority.roots);
  const downstream = new DownstreamTls({
    config: { tls: config(json), requireClientCertificate: true, requireSni: false, tickets: true },
    secrets,
    clock,
    wheel: new DeadlineWheel(clock, 1),
    stats: createTlsStats(metrics, "listener", ["envoy_listener_address", "l"]),
    ...options,
  });
  const outcomes: Outcome[] = [];
  const waiting: ((outcome: Outcome) => void)[] = [];
  const tell = (outcome: Outcome) => {
    if (outcome.secured !== null) open.push(outcome.secured.socket);
    const next = waiting.shift();
    if (next === undefined) outcomes.push(outcome);
    else next(outcome);
  };
  const server = createServer({ allowHalfOpen: true }, (raw) => {
    void before(raw).then(() =>
      downstream.secure(
        raw,
        offered,
        (secured) => tell({ secured, details: "" }),
        (details) => tell({ secured: null, details }),
      ),
    );
  });
  const port = await listen(server);
  open.push(server, downstream);
  const outcome = () => {
    const known = outcomes.shift();
    return known === undefined ? new Promise<Outcome>((resolve) => waiting.push(resolve)) : Promise.resolve(known);
  };
  return { secrets, port, outcome };
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  return (server.address() as { port: number }).port;
}

async function client(serviceAccount = "client", lifetime = 0): Promise<SecretStore> {
  const secrets = new SecretStore();
  secrets.set("default", await authority.identity(serviceAccount, lifetime));
  secrets.set("ROOTCA", authority.roots);
  return secrets;
}

/** Connects as a cluster would. */
async function call(port: number, secrets: SecretStore, json: object = MESH, alpn: string[] | null = null, sni = "") {
  const upstream = new UpstreamTls({
    config: { tls: config(json), sni },
    secrets,
    clock,
    stats: createTlsStats(metrics, "cluster", ["envoy_cluster_name", "c"]),
  });
  open.push(upstream);
  const raw = connectTcp({ port, host: "127.0.0.1", allowHalfOpen: true });
  open.push(raw);
  await once(raw, "connect");
  return new Promise<Outcome>((resolve) =>
    upstream.secure(
      raw,
      alpn,
      (secured) => {
        open.push(secured.socket);
        resolve({ secured, details: "" });
      },
      (error) => resolve({ secured: null, details: error.message }),
    ),
  );
}

const count = (name: string) =>
  Number(new RegExp(`^envoy_${name}\\{[^}]*\\} (\\d+)$`, "m").exec(metrics.text())?.[1] ?? Number.NaN);

describe("mesh TLS", () => {
  it("tells each end who the other is, and carries bytes and half-closes", async () => {
    const { port, outcome } = await serve({ ...MESH, alpnProtocols: ["istio", "http/1.1"] });
    const up = await call(port, await client(), MESH, ["istio"], "outbound_.80_._.server.default.svc.cluster.local");
    const down = await outcome();
    expect(down.secured?.tls).toMatchObject({
      version: "TLSv1.3",
      alpn: "istio",
      peerCertificatePresented: true,
      uriSanPeer: ["spiffe://cluster.local/ns/default/sa/client"],
      uriSanLocal: ["spiffe://cluster.local/ns/default/sa/server"],
      subjectPeer: "",
    });
    expect(down.secured?.requestedServerName).toBe("outbound_.80_._.server.default.svc.cluster.local");
    expect(up.secured?.tls.uriSanPeer).toEqual(["spiffe://cluster.local/ns/default/sa/server"]);
    const [server, caller] = [down.secured?.socket as TLSSocket, up.secured?.socket as TLSSocket];
    caller.end("question");
    let text = "";
    server.on("data", (chunk: Buffer) => {
      text += chunk;
    });
    await once(server, "end");
    expect([text, server.writable]).toEqual(["question", true]);
    server.end("answer");
    expect(String((await once(caller, "data"))[0])).toBe("answer");
    expect([count("listener_ssl_handshake"), count("cluster_ssl_handshake")]).toEqual([1, 1]);
  });

  it.each([
    { offer: ["istio"], chosen: null },
    { offer: ["istio-http/1.1", "istio", "http/1.1"], chosen: "http/1.1" },
  ])("chooses $chosen for a client that offers $offer", async ({ offer, chosen }) => {
    const { port, outcome } = await serve({ ...MESH, alpnProtocols: ["h2", "http/1.1"] }, {}, undefined, offer);
    expect((await call(port, await client(), MESH, offer)).secured?.tls.alpn).toBe(chosen);
    expect((await outcome()).secured?.tls.alpn).toBe(chosen);
  });

  it.each([
    ["h2", ["http/1.1", "istio-http/1.1", "h2"]],
    ["istio", ["istio"]],
  ])("offers what a connection will speak beside the mesh's names: %s of %j", async (chosen, known) => {
    const { port, outcome } = await serve({ ...MESH, alpnProtocols: known }, {}, undefined, ["istio", "h2"]);
    const named = { ...MESH, alpnProtocols: ["istio", "istio-http/1.1", "http/1.1"] };
    expect((await call(port, await client(), named, ["h2"])).secured?.tls.alpn).toBe(chosen);
    expect((await outcome()).secured?.tls.alpn).toBe(chosen);
  });

  it("takes a hello that was looked at before and given back", async () => {
    const { port, outcome } = await serve(MESH, {}, async (raw) => {
      const inspector = new ClientHelloInspector();
      const seen: Buffer[] = [];
      for (let verdict = "incomplete"; verdict === "incomplete"; ) {
        const [chunk] = (await once(raw, "data")) as [Buffer];
        raw.pause();
        seen.push(chunk);
        verdict = inspector.push(chunk).kind;
      }
      raw.unshift(Buffer.concat(seen));
    });
    expect((await call(port, await client())).secured).not.toBeNull();
    expect((await outcome()).secured?.tls.uriSanPeer).toEqual(["spiffe://cluster.local/ns/default/sa/client"]);
  });

  it.each([
    ["no certificate", "no_cert", async () => ({})],
    [
      "one of another mesh",
      "error",
      async () => {
        const { certificateChain: cert, privateKey: key } = await (await TestAuthority.create(system)).identity(
          "client",
        );
        return { cert, key };
      },
    ],
    [
      "one of another trust domain",
      "san",
      async () => {
        const other = await authority.identity("client", 0, { trustDomain: "elsewhere" });
        return { cert: other.certificateChain, key: other.privateKey };
      },
    ],
  ])("refuses a client with %s", async (_what, counter, identity) => {
    const { port, outcome } = await serve();
    const socket = connectTls({ port, host: "127.0.0.1", rejectUnauthorized: false, ...(await identity()) });
    open.push(socket);
    socket.on("error", () => {});
    const { secured, details } = await outcome();
    expect([secured, details === ""]).toEqual([null, false]);
    expect(count(`listener_ssl_fail_verify_${counter}`)).toBe(1);
  });

  it("refuses a client that names no server where a name is required", async () => {
    const options = { config: { tls: config(MESH), requireClientCertificate: true, requireSni: true, tickets: true } };
    const { port, outcome } = await serve(MESH, options);
    void call(port, await client());
    expect((await outcome()).details).toBe("the client named no server");
    expect((await call(port, await client(), MESH, null, "server.test")).secured).not.toBeNull();
    expect((await outcome()).secured?.requestedServerName).toBe("server.test");
  });

  it("refuses a certificate that has expired by our clock, though OpenSSL's thinks otherwise", async () => {
    const { port, outcome } = await serve();
    const { certificateChain: cert, privateKey: key } = await authority.identity("client", 3_600_000);
    const connect = () => {
      const socket = connectTls({ port, host: "127.0.0.1", rejectUnauthorized: false, cert, key });
      open.push(socket.on("error", () => {}));
    };
    connect();
    expect((await outcome()).secured).not.toBeNull();
    clock.advance(3_700_000);
    connect();
    expect((await outcome()).details).toContain("certificate expired at");
  });

  it("refuses a server that is another than was asked for", async () => {
    const { port } = await serve();
    const sans = [{ sanType: "URI", matcher: { exact: "spiffe://cluster.local/ns/default/sa/other" } }];
    const { details } = await call(port, await client(), {
      ...MESH,
      combinedValidationContext: {
        ...MESH.combinedValidationContext,
        defaultValidationContext: { matchTypedSubjectAltNames: sans },
      },
    });
    expect(details).toContain("no name of the certificate is accepted: spiffe://cluster.local/ns/default/sa/server");
    expect(count("cluster_ssl_fail_verify_san")).toBe(1);
  });

  it("takes only certificates whose hash is named, of the whole or of the key", async () => {
    const { port, secrets: own } = await serve();
    const withHashes = (more: object) => ({
      ...MESH,
      combinedValidationContext: { ...MESH.combinedValidationContext, defaultValidationContext: more },
    });
    const secrets = await client();
    const leaf = new X509Certificate((own.get("default") as KeyPair).certificateChain);
    const spki = createHash("sha256")
      .update(leaf.publicKey.export({ type: "spki", format: "der" }))
      .digest("base64");
    const wrong = "0".repeat(64);
    expect(
      (await call(port, secrets, withHashes({ verifyCertificateHash: [wrong, leaf.fingerprint256] }))).details,
    ).toBe("");
    expect((await call(port, secrets, withHashes({ verifyCertificateSpki: [spki] }))).details).toBe("");
    const { details } = await call(port, secrets, withHashes({ verifyCertificateHash: [wrong] }));
    expect(details).toContain("the certificate is none of those that are named");
    expect(count("cluster_ssl_fail_verify_cert_hash")).toBe(1);
  });

  it("forgets sessions when a root goes: who had one must prove itself again", async () => {
    const { port, outcome, secrets } = await serve();
    const { certificateChain: cert, privateKey: key } = await authority.identity("client");
    const sessions: Buffer[] = [];
    const first = connectTls({ port, host: "127.0.0.1", rejectUnauthorized: false, cert, key });
    open.push(first);
    first.on("session", (session: Buffer) => sessions.push(session));
    const { secured } = await outcome();
    secured?.socket.end("x");
    await once(first, "data");
    // Node tells of sessions at the end of the turn in which they came.
    await new Promise(setImmediate);
    first.end();
    // Whatever the client kept, it is worth nothing without a certificate.
    for (const session of [...sessions, undefined]) {
      const again = connectTls({ port, host: "127.0.0.1", rejectUnauthorized: false, ...(session ? { session } : {}) });
      open.push(again);
      again.on("error", () => {});
      expect((await outcome()).secured).toBeNull();
    }
    secrets.set("ROOTCA", (await TestAuthority.create(system)).roots);
    const after = connectTls({ port, host: "127.0.0.1", rejectUnauthorized: false, cert, key });
    open.push(after);
    after.on("error", () => {});
    expect((await outcome()).secured).toBeNull();
  });

  it.each([true, false])(
    "resumes a session of a client without a certificate: %s, as tickets are on or off",
    async (tickets) => {
      const own = config({ tlsCertificateSdsSecretConfigs: [{ name: "default" }] });
      const options = { config: { tls: own, requireClientCertificate: false, requireSni: false, tickets } };
      const { port, outcome } = await serve(MESH, options);
      const first = connectTls({ port, host: "127.0.0.1", rejectUnauthorized: false });
      open.push(first);
      const sessions: Buffer[] = [];
      first.on("session", (session: Buffer) => sessions.push(session));
      const served = (await outcome()).secured;
      served?.socket.write("x");
      await once(first, "data");
      // Node tells of sessions at the end of the turn in which they came.
      await new Promise(setImmediate);
      const [session] = sessions;
      const again = connectTls({ port, host: "127.0.0.1", rejectUnauthorized: false, ...(session ? { session } : {}) });
      open.push(again);
      await once(again, "secureConnect");
      expect(again.isSessionReused()).toBe(tickets);
    },
  );

  it("uses a renewed certificate for the next connection, without touching those that are open", async () => {
    const { port, outcome, secrets } = await serve();
    const caller = await client();
    const before = (await call(port, caller)).secured;
    const served = (await outcome()).secured;
    secrets.set("default", await authority.identity("renewed"));
    const after = (await call(port, caller)).secured;
    expect(after?.tls.uriSanPeer).toEqual(["spiffe://cluster.local/ns/default/sa/renewed"]);
    expect(served?.tls.uriSanLocal).toEqual(["spiffe://cluster.local/ns/default/sa/server"]);
    expect((await outcome()).secured?.tls.uriSanLocal).toEqual(["spiffe://cluster.local/ns/default/sa/renewed"]);
    before?.socket.write("still here");
    expect(String((await once(served?.socket as Socket, "data"))[0])).toBe("still here");
  });

  it("refuses everybody while a secret is missing or broken, and says which in no detail", async () => {
    const { port, outcome, secrets } = await serve();
    secrets.remove("ROOTCA");
    connectTcp(port, "127.0.0.1").on("error", () => {});
    expect((await outcome()).details).toBe("TLS context: secret-missing");
    secrets.set("ROOTCA", authority.roots);
    secrets.set("default", { certificateChain: "no certificate", privateKey: "no key" });
    connectTcp(port, "127.0.0.1").on("error", () => {});
    expect((await outcome()).details).toBe("TLS context: secret-broken");
    expect(count("listener_server_ssl_socket_factory_downstream_context_secrets_not_ready")).toBe(2);
  });

  it("shows no certificate that has expired by our clock, and says so", async () => {
    const { port, outcome, secrets } = await serve();
    secrets.set("default", await authority.identity("server", 60_000));
    clock.advance(60_000);
    connectTcp(port, "127.0.0.1").on("error", () => {});
    expect((await outcome()).details).toBe("TLS context: certificate-expired");
    expect((await call(port, await client("client", 60_000))).details).toBe("TLS context: certificate-expired");
    expect((await outcome()).details).toBe("TLS context: certificate-expired");
    secrets.set("default", await authority.identity("server"));
    expect((await call(port, await client())).secured).not.toBeNull();
    expect((await outcome()).secured).not.toBeNull();
  });

  it("begins so many handshakes a second and no more", async () => {
    const { port, outcome } = await serve(MESH, { maxHandshakeRate: 2 });
    const secrets = await client();
    const attempt = async () => {
      const [up, down] = await Promise.all([call(port, secrets), outcome()]);
      expect(up.secured === null).toBe(down.secured === null);
      return down.details;
    };
    expect([await attempt(), await attempt()]).toEqual(["", ""]);
    expect(await attempt()).toBe("too many TLS handshakes in a short time");
    clock.advance(500);
    expect(await attempt()).toBe("");
    expect(count("listener_ssl_handshake_rate_limited")).toBe(1);
  });

  it("ends handshakes that take too long, are garbage, or are too many at once", async () => {
    const { port, outcome } = await serve(MESH, { maxHandshakes: 2, handshakeTimeout: 5000 });
    const slow = [connectTcp(port, "127.0.0.1"), connectTcp(port, "127.0.0.1")];
    await Promise.all(slow.map((socket) => once(socket, "connect")));
    const third = connectTcp(port, "127.0.0.1");
    open.push(...slow, third);
    // The one that came first makes room.
    expect((await outcome()).details).toBe("too many TLS handshakes are under way");
    expect((await call(port, await client())).secured).not.toBeNull();
    expect((await outcome()).details).toBe("too many TLS handshakes are under way");
    expect((await outcome()).secured).not.toBeNull();
    clock.advance(5001);
    expect((await outcome()).details).toBe("TLS handshake timed out");
    const garbage = connectTcp(port, "127.0.0.1");
    open.push(garbage);
    garbage.on("error", () => {});
    garbage.write("\x16\x03\x01\x00\x05hello");
    expect((await outcome()).details).toBe("TLS handshake failed");
    expect(count("listener_ssl_handshake_timeout")).toBe(1);
    expect(count("listener_ssl_handshake_overflow")).toBe(2);
    expect(count("listener_ssl_connection_error")).toBe(1);
  });
});
