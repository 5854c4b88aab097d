import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createSecureContext } from "node:tls";
import { create, fromJson } from "@bufbuild/protobuf";
import { VirtualClock } from "@mixerless/clock";
import {
  CONTROL_PLANE_NAME,
  createKeyAndRequest,
  readCertificate,
  type SpiffeId,
  signJoinToken,
  signOperator,
} from "@mixerless/identity";
import { AuthorityFolder, CertificateAuthority, createRoot, readSigner } from "@mixerless/identity/authority";
import { MetricStore } from "@mixerless/metrics";
import { packAny, unpackAnyAs } from "@mixerless/wire";
import { ClusterSchema } from "@mixerless/wire/envoy/config/cluster/v3/cluster";
import { type Node, NodeSchema } from "@mixerless/wire/envoy/config/core/v3/base";
import { ProxyConfigSchema } from "@mixerless/wire/istio/mesh/proxy_config";
import {
  type ChannelSecurity,
  createXdsClient,
  createXdsServer,
  MapSource,
  TypeUrl,
  type XdsClient,
  type XdsServer,
} from "@mixerless/xds";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { IdentifiedSource } from "./identified-source.ts";
import { type MeshAuthority, openMeshAuthority } from "./mesh-authority.ts";

const HOUR = 3_600_000;
const REVIEWS: SpiffeId = { trustDomain: "cluster.local", namespace: "default", serviceAccount: "reviews" };

let folder: string;
let clock: VirtualClock;
let files: AuthorityFolder;
let authority: MeshAuthority;
let server: XdsServer;
let plain: string;
let refusals: string[];
const clients: XdsClient[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "mixerless-secure-"));
  // OpenSSL has a clock of its own: what is made in the hour to come is valid by that one, too.
  clock = new VirtualClock(Date.now() - HOUR);
  const log = () => {};
  files = await AuthorityFolder.open({ folder, trustDomain: "cluster.local", clock, log });
  refusals = [];
  authority = await openMeshAuthority({
    ...{ folder, clock, log, trustDomain: "cluster.local", overlap: HOUR },
    metrics: new MetricStore({ clock }),
    onRoots: () => server.push(new Map([[TypeUrl.proxyConfig, "all"]])),
  });
  const { authenticate, credentials, service } = authority;
  const source = new MapSource();
  source.set("web", packAny(ClusterSchema, create(ClusterSchema, { name: "web" })));
  server = createXdsServer({
    source: new IdentifiedSource(source, () => authority.trusted),
    clock,
    address: "127.0.0.1:0",
    authenticate,
    secure: { address: "127.0.0.1:0", credentials, services: [service] },
    observer: { onRefused: (_peer, code, message) => refusals.push(`${code} ${message}`) },
  });
  plain = await server.start();
});

afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()));
  authority.close();
  await server.close(10);
  await rm(folder, { recursive: true, force: true });
});

function node(namespace = "default", serviceAccount = "reviews"): Node {
  const id = `sidecar~127.0.0.1~reviews-v1.${namespace}~${namespace}.svc.cluster.local`;
  return fromJson(NodeSchema, { id, metadata: { NAMESPACE: namespace, SERVICE_ACCOUNT: serviceAccount } });
}

async function pairFor(id: SpiffeId, under = files.signer, lifetime = 0) {
  const { key, csr } = await createKeyAndRequest(id);
  const { chain } = await new CertificateAuthority({ clock, signer: () => under }).issue(csr, id, lifetime);
  return { key, cert: chain.slice(0, -1).join("") };
}

function security(pair: { key: string; cert: string } | null): ChannelSecurity {
  const context = createSecureContext({ ca: authority.trusted.join(""), ...pair });
  return {
    context: () => context,
    serverName: CONTROL_PLANE_NAME,
    checkServer: (certificate) => (readCertificate(certificate).dnsSans.includes(CONTROL_PLANE_NAME) ? null : "who?"),
  };
}

/** What a proxy sees of the control plane: names of clusters, sets of roots, or why the stream ended. */
function connect(target: string, proxy: Node, secure: ChannelSecurity | null) {
  const roots: number[] = [];
  let tell: (outcome: string) => void = () => {};
  const outcome = new Promise<string>((resolve) => {
    tell = resolve;
  });
  const waiting: (() => void)[] = [];
  const client = createXdsClient({
    ...{ target, clock, node: proxy, mode: "delta" },
    ...(secure === null ? {} : { security: secure }),
    onUpdate: ({ typeUrl, resources }) => {
      if (typeUrl === TypeUrl.cluster) tell(resources.map(({ name }) => name).join());
      for (const { any } of typeUrl === TypeUrl.proxyConfig ? resources : []) {
        const decoded = unpackAnyAs(any, ProxyConfigSchema);
        roots.push(decoded.message?.caCertificatesPem.length ?? 0);
        waiting.shift()?.();
      }
      return [];
    },
    onAttemptFailed: (reason) => tell(reason),
    onState: (connected, reason) => {
      if (!connected) tell(reason);
    },
  });
  clients.push(client);
  client.subscribe(TypeUrl.cluster, "*");
  client.subscribe(TypeUrl.proxyConfig, "*");
  client.start();
  const nextRoots = () => new Promise<void>((resolve) => waiting.push(resolve));
  return { outcome, roots, nextRoots };
}

const secureAddress = () => server.secureAddress ?? "";

describe("the secure port", () => {
  it("gives the bearer of a certificate its configuration, and no other's", async () => {
    const own = security(await pairFor(REVIEWS));
    expect(await connect(secureAddress(), node(), own).outcome).toBe("web");
    expect(await connect(secureAddress(), node("default", "admin"), own).outcome).toMatch(
      /service account "admin" of namespace "default", its identity is spiffe:\/\/cluster.local\/ns\/default\/sa\/reviews/,
    );
    expect(await connect(secureAddress(), node("payments"), own).outcome).toContain('namespace "payments"');
    // As upstream: a node that names no service account is one of its namespace.
    expect(await connect(secureAddress(), node("default", ""), own).outcome).toBe("web");
    expect(refusals.filter((line) => line.startsWith("16 "))).toHaveLength(2);
  });

  it.each<[string, () => Promise<{ key: string; cert: string } | null>, RegExp]>([
    ["no certificate", async () => null, /neither a certificate of this mesh nor a join token/],
    [
      "one of a root of its own making",
      async () => {
        const foreign = await readSigner(await createRoot("cluster.local", clock.now(), 24 * HOUR), clock.now());
        return pairFor(REVIEWS, foreign);
      },
      /neither a certificate of this mesh/,
    ],
    [
      "one of another trust domain",
      () => pairFor({ ...REVIEWS, trustDomain: "other" }),
      /names no workload of cluster.local/,
    ],
  ])("refuses a caller with %s", async (_what, pair, said) => {
    expect(await connect(secureAddress(), node(), security(await pair())).outcome).toMatch(said);
    expect(refusals[0]).toMatch(/^16 /);
  });

  it("refuses a certificate that has expired by its own clock", async () => {
    const own = security(await pairFor(REVIEWS, files.signer, 2 * HOUR));
    clock.advance(2 * HOUR);
    expect(await connect(secureAddress(), node(), own).outcome).toContain("has expired");
  });

  it("tells everybody at once of a root that will sign, and knows clients under it when it does", async () => {
    const first = connect(secureAddress(), node(), security(await pairFor(REVIEWS)));
    await first.outcome;
    if (first.roots.length === 0) await first.nextRoots();
    const [before] = authority.trusted;
    const told = first.nextRoots();
    await authority.roots.take("add", false, signOperator(files.joinKey, "roots add", clock));
    await told;
    expect(first.roots).toEqual([1, 2]);
    const rotated = await AuthorityFolder.open({ ...{ folder, clock, log: () => {} }, trustDomain: "cluster.local" });
    expect(rotated.signer.root).toBe(before);
    clock.advance(HOUR);
    expect(rotated.signer.root).not.toBe(before);
    const under = security(await pairFor(REVIEWS, rotated.signer));
    expect(await connect(secureAddress(), node(), under).outcome).toBe("web");
  });

  it("has a certificate that no workload can get, so none can stand in for it", async () => {
    const own = security(await pairFor(REVIEWS));
    const { cert } = await pairFor({ ...REVIEWS, namespace: "istio-system", serviceAccount: "istiod" });
    expect(own.checkServer(Buffer.from(cert))).toBe("who?");
    expect(await connect(secureAddress(), node(), own).outcome).toBe("web");
  });
});

describe("the port in clear", () => {
  it("serves this machine, where nobody can prove anything", async () => {
    expect(await connect(plain, node("anyone", "admin"), null).outcome).toBe("web");
  });

  it("serves nobody from beyond it", () => {
    const peer = { secure: false, certificate: null, metadata: () => [] };
    const refused = { code: 16, message: "beyond loopback TLS is needed" };
    for (const address of ["10.0.0.1:80", "[2001:db8::1]:80", "127.0.0.1.evil:80", "unknown"])
      expect(authority.authenticate({ ...peer, address })).toEqual(refused);
    for (const address of ["127.3.2.1:80", "[::1]:80", "::1:80", "[::ffff:127.0.0.1]:80"])
      expect(authority.authenticate({ ...peer, address })).toBeNull();
  });
});

describe("a join token", () => {
  const claims = { namespace: "default", serviceAccount: "reviews", workload: "reviews-v1" };
  const bearer = (token: string) => ({
    ...{ address: "10.0.0.1:80", secure: true, certificate: null },
    metadata: () => [`Bearer ${token}`],
  });

  it("says who asks for configuration, until it is used", async () => {
    const token = signJoinToken(files.joinKey, claims, clock, HOUR);
    const names = ["spiffe://cluster.local/ns/default/sa/reviews"];
    expect(authority.authenticate(bearer(token))).toEqual({ names });
    clock.advance(HOUR);
    expect(authority.authenticate(bearer(token))).toMatchObject({ code: 16 });
    expect(authority.authenticate(bearer("rubbish"))).toMatchObject({ code: 16 });
  });
});
