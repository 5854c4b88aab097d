import { VirtualClock } from "@mixerless/clock";
import { beforeEach, describe, expect, it } from "vitest";
import { CertificateAuthority, createRoot, readSigner, type Signer } from "./authority/index.ts";
import { createKeyAndRequest } from "./certificate-request.ts";
import { readRenewal, signRenewal } from "./renewal-proof.ts";

const ID = { trustDomain: "cluster.local", namespace: "default", serviceAccount: "reviews" };
const DAY = 86_400_000;

let clock: VirtualClock;
let signer: Signer;

beforeEach(async () => {
  clock = new VirtualClock();
  signer = await readSigner(await createRoot("cluster.local", clock.now(), 100 * DAY), clock.now());
});

async function issued(by = signer) {
  const { key, csr } = await createKeyAndRequest(ID);
  const { chain } = await new CertificateAuthority({ clock, signer: () => by }).issue(csr, ID, DAY);
  return { key, chain: chain.slice(0, -1).join("") };
}

describe("a proof of renewal", () => {
  it("tells whose certificate it was", async () => {
    const { key, chain } = await issued();
    const { csr } = await createKeyAndRequest(ID);
    expect(readRenewal(signRenewal(key, chain, csr), csr, [signer.root], clock.now())).toMatchObject({ identity: ID });
  });

  it("is for one request only", async () => {
    const { key, chain } = await issued();
    const [first, second] = [await createKeyAndRequest(ID), await createKeyAndRequest(ID)];
    const proof = signRenewal(key, chain, first.csr);
    expect(() => readRenewal(proof, second.csr, [signer.root], clock.now())).toThrow("was not signed by the key");
  });

  it("needs the key of the certificate, not another", async () => {
    const [own, other] = [await issued(), await issued()];
    const { csr } = await createKeyAndRequest(ID);
    const proof = signRenewal(other.key, own.chain, csr);
    expect(() => readRenewal(proof, csr, [signer.root], clock.now())).toThrow("was not signed by the key");
  });

  it("needs a certificate of this mesh that is valid now", async () => {
    const { key, chain } = await issued();
    const { csr } = await createKeyAndRequest(ID);
    const proof = signRenewal(key, chain, csr);
    const foreign = await readSigner(await createRoot("cluster.local", clock.now(), 100 * DAY), clock.now());
    expect(() => readRenewal(proof, csr, [foreign.root], clock.now())).toThrow("this mesh did not issue");
    expect(() => readRenewal(proof, csr, [], clock.now())).toThrow("this mesh did not issue");
    expect(() => readRenewal(proof, csr, [signer.root], clock.now() + DAY)).toThrow("expired at");
    expect(() => readRenewal(proof, csr, [signer.root], clock.now() - DAY)).toThrow("not valid before");
  });

  it("cannot be made by a workload that signs certificates for itself", async () => {
    const { key, chain } = await issued();
    const forged = await createKeyAndRequest(ID);
    const self = { ...signer, key: signer.key, certificate: chain, intermediates: [chain], root: signer.root };
    const below = await new CertificateAuthority({ clock, signer: () => self }).issue(
      forged.csr,
      { ...ID, serviceAccount: "admin" },
      DAY,
    );
    const { csr } = await createKeyAndRequest(ID);
    const proof = signRenewal(forged.key, below.chain.slice(0, -1).join(""), csr);
    expect(() => readRenewal(proof, csr, [signer.root], clock.now())).toThrow("this mesh did not issue");
    expect(key).not.toBe(forged.key);
  });

  it.each(["", ".", "a.b", "a.b.c", `${"A".repeat(40_000)}.x`])("is not %j", async (proof) => {
    expect(() => readRenewal(proof.slice(0, 50_000), "csr", [signer.root], clock.now())).toThrow("The renewal");
  });
});
