import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client, credentials, Metadata, status } from "@grpc/grpc-js";
import { VirtualClock } from "@mixerless/clock";
import { createKeyAndRequest, RENEWAL_HEADER, readCertificate, signJoinToken, signRenewal } from "@mixerless/identity";
import { AuthorityFolder, CertificateAuthority } from "@mixerless/identity/authority";
import { MetricStore } from "@mixerless/metrics";
import { IstioCertificateService } from "@mixerless/wire/istio/ca/certificate_service";
import { createXdsServer, grpcMethod, MapSource, type XdsServer } from "@mixerless/xds";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type MeshAuthority, openMeshAuthority } from "./mesh-authority.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const WORKLOAD = { namespace: "default", serviceAccount: "reviews", workload: "reviews-v1" };
const ID = { trustDomain: "cluster.local", namespace: "default", serviceAccount: "reviews" };
const METHOD = grpcMethod(IstioCertificateService.method.createCertificate);

let folder: string;
let clock: VirtualClock;
let metrics: MetricStore;
let authority: MeshAuthority;
let joinKey: Uint8Array;
let server: XdsServer;
let client: Client;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "mixerless-authority-"));
  clock = new VirtualClock();
  await start();
});

async function start(): Promise<void> {
  metrics = new MetricStore({ clock, idleExpiry: 0 });
  const log = () => {};
  authority = await openMeshAuthority({ folder, trustDomain: "cluster.local", clock, metrics, log });
  ({ joinKey } = await AuthorityFolder.open({ folder, trustDomain: "cluster.local", clock, log }));
  server = createXdsServer({ source: new MapSource(), clock, address: "127.0.0.1:0", services: [authority.service] });
  client = new Client(await server.start(), credentials.createInsecure());
}

afterEach(async () => {
  client.close();
  authority.close();
  await server.close(10);
  await rm(folder, { recursive: true, force: true });
});

function ask(csr: string, headers: Record<string, string>, seconds = 0): Promise<string[]> {
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(headers)) metadata.set(name, value);
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(
      METHOD.path,
      METHOD.requestSerialize,
      METHOD.responseDeserialize,
      { csr, validityDuration: BigInt(seconds) },
      metadata,
      (error, response) => (error === null ? resolve(response?.certChain ?? []) : reject(error)),
    );
  });
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const token = (key = joinKey, claims = WORKLOAD) => signJoinToken(key, claims, clock, HOUR);
const count = (name: string) =>
  Number(new RegExp(`^citadel_server_${name} (\\d+)$`, "m").exec(metrics.text())?.[1] ?? Number.NaN);

describe("the certificate service", () => {
  it("gives the bearer of a join token its own identity, whatever the request says", async () => {
    const { csr } = await createKeyAndRequest({ ...ID, serviceAccount: "admin" });
    const chain = await ask(csr, bearer(token()), 3600);
    expect(chain).toHaveLength(2);
    expect(readCertificate(chain[0] ?? "")).toMatchObject({ identity: ID, notAfter: clock.now() + HOUR });
    expect(chain[1]).toBe(authority.trusted[0]);
    expect([count("csr_count"), count("success_cert_issuance_count")]).toEqual([1, 1]);
  });

  it("renews by the certificate itself, while it is valid", async () => {
    const first = await createKeyAndRequest(ID);
    const chain = (await ask(first.csr, bearer(token()))).slice(0, -1).join("");
    const next = await createKeyAndRequest(ID);
    clock.advance(12 * HOUR);
    const renewed = await ask(next.csr, { [RENEWAL_HEADER]: signRenewal(first.key, chain, next.csr) });
    expect(readCertificate(renewed[0] ?? "")).toMatchObject({ identity: ID, notAfter: clock.now() + DAY });
    clock.advance(13 * HOUR);
    const late = await createKeyAndRequest(ID);
    await expect(ask(late.csr, { [RENEWAL_HEADER]: signRenewal(first.key, chain, late.csr) })).rejects.toMatchObject({
      code: status.UNAUTHENTICATED,
      details: expect.stringContaining("expired at"),
    });
  });

  it.each([
    ["no token", () => ({})],
    ["another scheme", () => ({ authorization: "Basic abc" })],
    ["a token of another mesh", () => bearer(token(new Uint8Array(32)))],
    ["no proof", () => ({ [RENEWAL_HEADER]: "a.b" })],
  ])("refuses a caller with %s, and does not repeat what it sent", async (_what, headers) => {
    const { csr } = await createKeyAndRequest(ID);
    const given = headers();
    const refusal = await ask(csr, given).catch((error: { code: number; details: string }) => error);
    expect(refusal).toMatchObject({ code: status.UNAUTHENTICATED });
    for (const value of Object.values(given)) expect(JSON.stringify(refusal)).not.toContain(value);
    expect(count("authentication_failure_count")).toBe(1);
  });

  it("refuses a token that was used, one that has expired, a bad request and too long a life", async () => {
    const { csr } = await createKeyAndRequest(ID);
    const once = bearer(token());
    await ask(csr, once);
    await expect(ask(csr, once)).rejects.toMatchObject({ code: status.UNAUTHENTICATED });
    const old = bearer(token());
    clock.advance(HOUR);
    await expect(ask(csr, old)).rejects.toMatchObject({ code: status.UNAUTHENTICATED });
    await expect(ask("nonsense", bearer(token()))).rejects.toMatchObject({ code: status.INVALID_ARGUMENT });
    await expect(ask(csr, bearer(token()), 91 * 86_400)).rejects.toMatchObject({ code: status.INVALID_ARGUMENT });
    expect(count("csr_parsing_err_count")).toBe(2);
  });

  it("refuses a token that was used before a restart", async () => {
    const { csr } = await createKeyAndRequest(ID);
    const once = bearer(token());
    await ask(csr, once);
    client.close();
    authority.close();
    await server.close(10);
    await start();
    await expect(ask(csr, once)).rejects.toMatchObject({
      code: status.UNAUTHENTICATED,
      details: expect.stringContaining("has been used before"),
    });
  });

  it("renews nothing of another trust domain, though its own root signed it", async () => {
    const { signer } = await AuthorityFolder.open({ folder, trustDomain: "cluster.local", clock, log: () => {} });
    const other = { ...ID, trustDomain: "elsewhere" };
    const { key, csr } = await createKeyAndRequest(other);
    const { chain } = await new CertificateAuthority({ clock, signer: () => signer }).issue(csr, other, 0);
    const next = await createKeyAndRequest(ID);
    const proof = signRenewal(key, chain.slice(0, -1).join(""), next.csr);
    await expect(ask(next.csr, { [RENEWAL_HEADER]: proof })).rejects.toMatchObject({
      code: status.UNAUTHENTICATED,
      details: expect.stringContaining("another trust domain"),
    });
    expect(count("authentication_failure_count")).toBe(1);
  });

  it("tells when its root expires", () => {
    expect(count("root_cert_expiry_timestamp") * 1000).toBe(clock.now() + 10 * 365 * DAY);
  });
});
