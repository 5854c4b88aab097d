import { generateKeyPairSync, X509Certificate } from "node:crypto";
import { VirtualClock } from "@mixerless/clock";
import { beforeEach, describe, expect, it } from "vitest";
import { readCertificate } from "../certificate.ts";
import { createKeyAndRequest } from "../certificate-request.ts";
import { CertificateAuthority } from "./certificate-authority.ts";
import { readRequest } from "./csr.ts";
import { createRoot } from "./root.ts";
import { type AuthorityFiles, readSigner, type Signer } from "./signer.ts";
import { EC_P256, subtle, x509 } from "./x509.ts";

const ID = { trustDomain: "cluster.local", namespace: "default", serviceAccount: "bookinfo-reviews" };
const URI = "spiffe://cluster.local/ns/default/sa/bookinfo-reviews";
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const YEAR = 365 * DAY;

let clock: VirtualClock;
let files: AuthorityFiles;
let signer: Signer;
let authority: CertificateAuthority;

beforeEach(async () => {
  clock = new VirtualClock();
  files = await createRoot("cluster.local", clock.now(), YEAR);
  signer = await readSigner(files, clock.now());
  authority = new CertificateAuthority({ clock, signer: () => signer });
});

/** A certificate authority below the root. */
async function intermediate(change: { ca?: boolean; lifetime?: number } = {}): Promise<AuthorityFiles> {
  const { ca = true, lifetime = 30 * DAY } = change;
  const keys = await subtle.generateKey(EC_P256, true, ["sign", "verify"]);
  const certificate = await x509.X509CertificateGenerator.create({
    publicKey: keys.publicKey,
    signingKey: signer.key,
    signingAlgorithm: EC_P256,
    subject: "O=cluster.local,CN=intermediate",
    issuer: "O=cluster.local",
    notBefore: new Date(clock.now()),
    notAfter: new Date(clock.now() + lifetime),
    extensions: [new x509.BasicConstraintsExtension(ca, 0, true)],
  });
  const pem = certificate.toString("pem");
  const key = Buffer.from(await subtle.exportKey("pkcs8", keys.privateKey));
  return {
    "ca-cert.pem": pem,
    "ca-key.pem": x509.PemConverter.encode(key, "PRIVATE KEY"),
    "root-cert.pem": files["root-cert.pem"],
    "cert-chain.pem": pem,
  };
}

describe("an issued certificate", () => {
  it("carries exactly the identity that was established, and what Istio's carries", async () => {
    const { csr, key } = await createKeyAndRequest(ID);
    const { chain } = await authority.issue(csr, ID, 0);
    expect(chain).toHaveLength(2);
    const [leaf = "", root = ""] = chain;
    const facts = readCertificate(leaf);
    expect(facts).toMatchObject({ subject: "", uriSans: [URI], dnsSans: [], identity: ID, isAuthority: false });
    expect(facts.notBefore).toBe(clock.now());
    expect(facts.notAfter).toBe(clock.now() + DAY);
    const certificate = new X509Certificate(leaf);
    expect(certificate.verify(new X509Certificate(root).publicKey)).toBe(true);
    expect(certificate.checkIssued(new X509Certificate(root))).toBe(true);
    const { createPrivateKey } = await import("node:crypto");
    expect(certificate.checkPrivateKey(createPrivateKey(key))).toBe(true);
    const parsed = new x509.X509Certificate(leaf);
    const { digitalSignature, keyEncipherment } = x509.KeyUsageFlags;
    expect(parsed.getExtension(x509.KeyUsagesExtension)?.usages).toBe(digitalSignature | keyEncipherment);
    expect(parsed.getExtension(x509.ExtendedKeyUsageExtension)?.usages).toEqual([
      "1.3.6.1.5.5.7.3.1",
      "1.3.6.1.5.5.7.3.2",
    ]);
    expect(parsed.getExtension(x509.SubjectAlternativeNameExtension)?.critical).toBe(true);
  });

  it("ignores the names in the request: another's identity, several, a host", async () => {
    const other = await createKeyAndRequest({ ...ID, serviceAccount: "admin" });
    const keys = await subtle.generateKey(EC_P256, true, ["sign", "verify"]);
    const many = await x509.Pkcs10CertificateRequestGenerator.create({
      keys,
      name: "CN=admin",
      signingAlgorithm: EC_P256,
      extensions: [
        new x509.SubjectAlternativeNameExtension([
          { type: "url", value: "spiffe://cluster.local/ns/a/sa/admin" },
          { type: "dns", value: "istiod.istio-system.svc" },
        ]),
        new x509.BasicConstraintsExtension(true, 3, true),
      ],
    });
    for (const csr of [other.csr, many.toString("pem")]) {
      const { chain } = await authority.issue(csr, ID, 0);
      expect(readCertificate(chain[0] ?? "")).toMatchObject({ uriSans: [URI], dnsSans: [], isAuthority: false });
    }
  });

  it("lives as long as was asked for, at most until its signer ends, and not longer than is allowed", async () => {
    const { csr } = await createKeyAndRequest(ID);
    clock.advance(HOUR);
    const hour = await authority.issue(csr, ID, HOUR);
    expect(hour.notAfter - clock.now()).toBe(HOUR);
    expect(clock.now() - hour.notBefore).toBe(120_000);
    await expect(authority.issue(csr, ID, 91 * DAY)).rejects.toMatchObject({ code: "lifetime-too-long" });
    clock.advance(YEAR - 2 * HOUR);
    expect((await authority.issue(csr, ID, DAY)).notAfter).toBe(signer.facts.notAfter);
    clock.advance(2 * HOUR);
    await expect(authority.issue(csr, ID, DAY)).rejects.toMatchObject({ code: "authority-expired" });
  });

  it("of a plugged-in intermediate brings the way up to the root", async () => {
    const below = await intermediate();
    signer = await readSigner(below, clock.now());
    const { csr } = await createKeyAndRequest(ID);
    const { chain, notAfter } = await authority.issue(csr, ID, 60 * DAY);
    expect(chain.map((pem) => readCertificate(pem).isAuthority)).toEqual([false, true, true]);
    const [leaf, middle, root] = chain.map((pem) => new X509Certificate(pem));
    expect(leaf?.verify((middle as X509Certificate).publicKey)).toBe(true);
    expect(middle?.verify((root as X509Certificate).publicKey)).toBe(true);
    expect(notAfter).toBe(clock.now() + 30 * DAY);
  });
});

describe("a request", () => {
  it("is refused when it is none, or too long, or its key is weak", async () => {
    const small = generateKeyPairSync("rsa", { modulusLength: 1024 });
    const algorithm = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" };
    const keys = {
      privateKey: await subtle.importKey(
        "pkcs8",
        small.privateKey.export({ type: "pkcs8", format: "der" }),
        algorithm,
        true,
        ["sign"],
      ),
      publicKey: await subtle.importKey(
        "spki",
        small.publicKey.export({ type: "spki", format: "der" }),
        algorithm,
        true,
        ["verify"],
      ),
    };
    const weak = await x509.Pkcs10CertificateRequestGenerator.create({ keys, signingAlgorithm: algorithm });
    for (const csr of [
      "",
      "no PEM",
      "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n",
      "x".repeat(20_000),
      weak.toString("pem"),
    ]) {
      await expect(readRequest(csr)).rejects.toMatchObject({ code: "bad-csr" });
    }
  });

  it("is refused when any byte of it was changed on its way", async () => {
    const { csr } = await createKeyAndRequest(ID);
    const der = Buffer.from(csr.replaceAll(/-----.*-----|\s/g, ""), "base64");
    for (let at = 0; at < der.length; at += 7) {
      const forged = Buffer.from(der);
      forged[at] = (forged[at] as number) ^ 1;
      const pem = x509.PemConverter.encode(forged, "CERTIFICATE REQUEST");
      await expect(readRequest(pem), `byte ${at}`).rejects.toMatchObject({ code: "bad-csr" });
    }
  });
});

describe("plugged-in files", () => {
  const reading = (change: Partial<AuthorityFiles>, later = 0) =>
    readSigner({ ...files, ...change }, clock.now() + later);

  it("are refused by name when they do not belong together, and the key is never shown", async () => {
    const other = await createRoot("cluster.local", clock.now(), YEAR);
    const lesser = await intermediate({ ca: false });
    await expect(reading({ "ca-cert.pem": "nothing" })).rejects.toThrow("ca-cert.pem holds no certificate");
    await expect(reading({ "ca-key.pem": other["ca-key.pem"] })).rejects.toThrow(
      "ca-key.pem is not the key of ca-cert.pem",
    );
    await expect(reading({ "ca-key.pem": "-----BEGIN SECRET-----" })).rejects.toThrow(
      /ca-key.pem holds no unencrypted/,
    );
    await expect(reading({ "root-cert.pem": other["root-cert.pem"] })).rejects.toThrow("cert-chain.pem does not lead");
    await expect(readSigner(lesser, clock.now())).rejects.toThrow("ca-cert.pem may not sign certificates");
    await expect(reading({}, YEAR)).rejects.toThrow("ca-cert.pem expired at");
    await expect(reading({}, -HOUR)).rejects.toThrow("ca-cert.pem is not valid before");
  });
});
