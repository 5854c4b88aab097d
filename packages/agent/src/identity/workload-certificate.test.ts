import { VirtualClock } from "@mixerless/clock";
import { createKeyAndRequest, formatSpiffeId, readCertificate, readRenewal, type SpiffeId } from "@mixerless/identity";
import { CertificateAuthority, createRoot, readSigner } from "@mixerless/identity/authority";
import { MetricStore } from "@mixerless/metrics";
import { SecretStore } from "@mixerless/proxy";
import { beforeEach, describe, expect, it } from "vitest";
import type { CertificateRequest } from "./certificate-client.ts";
import { IdentitySeries } from "./identity-series.ts";
import { WorkloadCertificate, type WorkloadCertificateOptions } from "./workload-certificate.ts";

const HOUR = 3_600_000;
const REVIEWS: SpiffeId = { trustDomain: "cluster.local", namespace: "default", serviceAccount: "reviews" };
const TOKEN = "a-join-token";
const unauthenticated = (details: string) =>
  Object.assign(new Error(`16 UNAUTHENTICATED: ${details}`), { code: 16, details });

/** An authority that answers as a test wants, and remembers what it was asked. */
class FakeAuthority {
  readonly asked: CertificateRequest[] = [];
  readonly root: string;
  readonly #authority: CertificateAuthority;
  /** Whom it takes the bearer of a token for. */
  bearer: SpiffeId = REVIEWS;
  /** What it says instead of a certificate. */
  failure: Error | null = null;
  answer: ((chain: readonly string[]) => readonly string[]) | null = null;

  private constructor(root: string, authority: CertificateAuthority) {
    this.root = root;
    this.#authority = authority;
  }

  static async create(clock: VirtualClock): Promise<FakeAuthority> {
    const signer = await readSigner(await createRoot("cluster.local", clock.now(), 1000 * HOUR), clock.now());
    return new FakeAuthority(signer.root, new CertificateAuthority({ clock, signer: () => signer }));
  }

  readonly request = async (request: CertificateRequest): Promise<readonly string[]> => {
    this.asked.push(request);
    if (this.failure !== null) throw this.failure;
    const { csr, proof, lifetime } = request;
    const identity =
      "token" in proof ? this.bearer : readRenewal(proof.renewal, csr, [this.root], clock.now()).identity;
    const { chain } = await this.#authority.issue(csr, identity, lifetime);
    return this.answer?.(chain) ?? chain;
  };

  get proofs(): string[] {
    return this.asked.map(({ proof }) => ("token" in proof ? "token" : "renewal"));
  }
}

let clock: VirtualClock;
let authority: FakeAuthority;
let secrets: SecretStore;
let series: MetricStore;
let log: string[];
let made: WorkloadCertificate | null = null;

beforeEach(async () => {
  clock = new VirtualClock();
  authority = await FakeAuthority.create(clock);
  secrets = new SecretStore();
  series = new MetricStore({ clock });
  log = [];
});

function make(options: Partial<WorkloadCertificateOptions> = {}): WorkloadCertificate {
  made = new WorkloadCertificate({
    workload: REVIEWS,
    request: authority.request,
    token: async () => TOKEN,
    roots: async () => authority.root,
    secrets,
    lifetime: 0,
    clock,
    random: () => 0.5,
    log: (message) => log.push(message),
    series: new IdentitySeries(series, clock),
    ...options,
  });
  return made;
}

/** Moves time on and lets what it set off come to its end. */
async function pass(time: number): Promise<void> {
  clock.advance(time);
  await made?.settled();
}

/** Starts one and waits for the end of its first attempt. */
async function begin(options: Partial<WorkloadCertificateOptions> = {}): Promise<void> {
  const certificate = make(options);
  void certificate.start();
  await certificate.settled();
}

function own() {
  const secret = secrets.get("default");
  if (secret === null || !("privateKey" in secret)) throw new Error("there is no certificate");
  return { ...secret, facts: readCertificate(secret.certificateChain) };
}

describe("a workload's certificate", () => {
  it("is got by the join token, and its root comes before it", async () => {
    const order: string[] = [];
    for (const name of ["default", "ROOTCA"]) secrets.subscribe(name, () => order.push(name));
    const certificate = make();
    await certificate.start();
    expect(order).toEqual(["ROOTCA", "default"]);
    expect(authority.asked[0]?.proof).toEqual({ token: TOKEN });
    expect(own().facts).toMatchObject({ identity: REVIEWS, notAfter: clock.now() + 24 * HOUR });
    expect(certificate.current?.identity).toEqual(REVIEWS);
    expect(secrets.get("ROOTCA")).toEqual({ trustedCa: authority.root });
  });

  it("has a key that leaves neither in a request nor in a log", async () => {
    await make().start();
    await pass(13 * HOUR);
    expect(authority.asked).toHaveLength(2);
    const said = JSON.stringify([authority.asked.map(({ csr, proof }) => [csr, proof]), log]);
    expect(said).not.toContain("PRIVATE KEY");
    expect(said).not.toContain(own().privateKey.split("\n")[1]);
    expect(log.join()).not.toContain(TOKEN);
  });

  it.each([
    [0, 0.49],
    [0.5, 0.5],
    [1, 0.51],
  ])("is renewed by itself when half of its life is over, give or take (chance %d)", async (random, part) => {
    await make({ random: () => random, lifetime: HOUR }).start();
    const first = own();
    await pass(HOUR * (1 - part) - 1);
    expect(authority.proofs).toEqual(["token"]);
    await pass(1);
    expect(authority.proofs).toEqual(["token", "renewal"]);
    expect(own().facts.serial).not.toBe(first.facts.serial);
    expect(own().privateKey).not.toBe(first.privateKey);
  });

  it("lives from when it came, not from when it was dated back to", async () => {
    await make({ lifetime: 10_000 }).start();
    await pass(4999);
    expect(authority.asked).toHaveLength(1);
    await pass(1);
    expect(authority.asked).toHaveLength(2);
  });

  it("stays while the authority is away, is asked for ever more slowly, and follows when the authority is back", async () => {
    await make().start();
    const first = own();
    authority.failure = new Error("connect ECONNREFUSED");
    await pass(12 * HOUR);
    for (const wait of [250, 500, 1000, 2000]) await pass(wait);
    expect(authority.asked).toHaveLength(6);
    expect(own().facts.serial).toBe(first.facts.serial);
    expect(log.slice(1)).toEqual([
      "No certificate for service account reviews of default: connect ECONNREFUSED. Asking again and again.",
    ]);
    authority.failure = null;
    await pass(15_000);
    expect(authority.proofs.at(-1)).toBe("renewal");
    expect(own().facts.serial).not.toBe(first.facts.serial);
  });

  it("says once that it has expired, and is got by a token again", async () => {
    await make({ lifetime: 60_000 }).start();
    authority.failure = new Error("away");
    for (let i = 0; i < 10; i++) await pass(10_000);
    expect(log.filter((line) => line.includes("expired at"))).toHaveLength(1);
    authority.failure = null;
    await pass(15_000);
    expect(authority.proofs.at(-1)).toBe("token");
    expect(own().facts.notAfter).toBeGreaterThan(clock.now());
    expect(log.at(-1)).toMatch(/^This workload is spiffe:/);
  });

  it("takes turns between certificate and token with an authority that knows neither", async () => {
    await make().start();
    authority.failure = unauthenticated("not issued here");
    await pass(12 * HOUR);
    for (let i = 0; i < 3; i++) await pass(15_000);
    expect(authority.proofs).toEqual(["token", "renewal", "token", "renewal", "token"]);
  });

  it.each<[string, () => void, RegExp]>([
    [
      "for another workload",
      () => (authority.bearer = { ...REVIEWS, serviceAccount: "admin" }),
      /token is for spiffe:.*sa\/admin/,
    ],
    ["without a root", () => (authority.answer = (chain) => chain.slice(0, 1)), /not a certificate and its root/],
    ["with rubbish", () => (authority.answer = () => ["rubbish", "rubbish"]), /no X\.509 certificate/],
  ])("is not taken %s", async (_what, change, said) => {
    change();
    await begin();
    expect(secrets.get("default")).toBeNull();
    expect(log.join("\n")).toMatch(said);
    expect(series.text()).toContain('istio_agent_num_failed_outgoing_requests{request_type="csr"} 1');
  });

  it("is not taken for a key that is not ours", async () => {
    const other = await createKeyAndRequest(REVIEWS);
    await begin({ request: (request) => authority.request({ ...request, csr: other.csr }) });
    expect(secrets.get("default")).toBeNull();
    expect(log.join()).toContain("for another key");
  });

  it("is renewed soon after the wall clock has jumped past its half, and when it has jumped back to before its life", async () => {
    let jump = 0;
    const jumping = Object.assign(Object.create(clock) as VirtualClock, {
      now: () => clock.now() + jump,
      monotonic: () => clock.monotonic(),
      after: (delay: number, act: () => void) => clock.after(delay, act),
    });
    await make({ clock: jumping }).start();
    jump = 13 * HOUR;
    await pass(5000);
    expect(authority.asked).toHaveLength(2);
    jump = -24 * HOUR;
    for (let i = 0; i < 3; i++) await pass(5000);
    expect(authority.asked).toHaveLength(3);
    expect(log.join("\n")).toContain("later than this machine's clock");
    // The authority's clock is right: the next one begins too late as well, and so do all that follow.
    for (let i = 0; i < 24 * 720; i++) await pass(5000);
    expect(authority.asked.length).toBeLessThan(300);
    jump = 0;
    await pass(5000);
    const asked = authority.asked.length;
    for (let i = 0; i < 720; i++) await pass(5000);
    expect(authority.asked).toHaveLength(asked);
  });

  it("has the roots that the control plane names, and never none or rubbish", async () => {
    const certificate = make();
    await certificate.start();
    const next = (await createRoot("cluster.local", clock.now(), 1000 * HOUR))["root-cert.pem"];
    certificate.trust([authority.root, next]);
    expect(secrets.get("ROOTCA")).toEqual({ trustedCa: `${authority.root.trim()}\n${next.trim()}\n` });
    certificate.trust([]);
    certificate.trust(["rubbish"]);
    expect(secrets.get("ROOTCA")).toMatchObject({ trustedCa: expect.stringContaining(next.trim()) });
    expect(log.filter((line) => line.includes("are not taken"))).toHaveLength(2);
  });

  it("is renewed soon, once, when another root than its own signs", async () => {
    const certificate = make();
    await certificate.start();
    const next = (await createRoot("cluster.local", clock.now(), 1000 * HOUR))["root-cert.pem"];
    certificate.trust([authority.root, next]);
    await pass(5000);
    expect(authority.asked).toHaveLength(1);
    certificate.trust([next, authority.root]);
    await pass(5000);
    expect(authority.asked).toHaveLength(2);
    // An authority that orders its roots otherwise is not asked again and again.
    await pass(HOUR);
    expect(authority.asked).toHaveLength(2);
  });

  it("shows how long it lasts in the agent's series", async () => {
    const identity = new IdentitySeries(series, clock);
    await make({ series: identity, lifetime: HOUR }).start();
    clock.advance(600_000);
    identity.observe();
    expect(series.text()).toContain('istio_agent_cert_expiry_seconds{resource_name="default"} 3000');
    expect(series.text()).toContain('istio_agent_cert_expiry_seconds{resource_name="ROOTCA"} 3599400');
  });

  it("is asked for no more when the agent stops", async () => {
    const certificate = make();
    await certificate.start();
    certificate.close();
    await pass(24 * HOUR);
    expect(authority.asked).toHaveLength(1);
    expect(formatSpiffeId(REVIEWS)).toBe("spiffe://cluster.local/ns/default/sa/reviews");
  });
});
