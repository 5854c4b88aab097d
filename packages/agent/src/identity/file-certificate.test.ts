import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { VirtualClock } from "@mixerless/clock";
import { createKeyAndRequest } from "@mixerless/identity";
import { CertificateAuthority, createRoot, readSigner } from "@mixerless/identity/authority";
import { SecretStore } from "@mixerless/proxy";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FileCertificate } from "./file-certificate.ts";

const HOUR = 3_600_000;
const ID = { trustDomain: "cluster.local", namespace: "default", serviceAccount: "reviews" };

let folder: string;
let clock: VirtualClock;
let logged: string[];
let secrets: SecretStore;
let expiries: [string, number][];
let certificate: FileCertificate;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "mixerless-files-"));
  clock = new VirtualClock();
  logged = [];
  expiries = [];
  secrets = new SecretStore();
  certificate = new FileCertificate({
    ...{ folder, secrets, clock, log: (message) => logged.push(message) },
    series: { expires: (name, time) => expiries.push([name, time]) },
  });
});

afterEach(async () => {
  certificate.close();
  await rm(folder, { recursive: true, force: true });
});

async function write(texts: Record<string, string>): Promise<void> {
  for (const [name, text] of Object.entries(texts)) {
    await writeFile(join(folder, name), text);
    await chmod(join(folder, name), 0o600);
  }
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((wake) => setImmediate(wake));
}

async function files(lifetime = HOUR) {
  const root = await createRoot("cluster.local", clock.now(), 1000 * HOUR);
  const signer = await readSigner(root, clock.now());
  const { key, csr } = await createKeyAndRequest(ID);
  const { chain } = await new CertificateAuthority({ clock, signer: () => signer }).issue(csr, ID, lifetime);
  return { "cert-chain.pem": chain.slice(0, -1).join(""), "key.pem": key, "root-cert.pem": root["root-cert.pem"] };
}

describe("a certificate in files", () => {
  it("is what the data plane shows and trusts, and how long it lasts is known", async () => {
    const given = await files();
    await write(given);
    await certificate.start();
    expect(secrets.get("default")).toEqual({
      certificateChain: given["cert-chain.pem"],
      privateKey: given["key.pem"],
    });
    expect(secrets.get("ROOTCA")).toEqual({ trustedCa: given["root-cert.pem"] });
    expect(expiries.find(([name]) => name === "default")?.[1]).toBe(clock.now() + HOUR);
    expect(logged).toEqual([expect.stringContaining("spiffe://cluster.local/ns/default/sa/reviews until")]);
  });

  it("is taken over when it is replaced, whole or not at all", async () => {
    await write(await files());
    await certificate.start();
    const before = secrets.get("default");
    const next = await files();
    await write({ "key.pem": next["key.pem"] });
    await certificate.look();
    await certificate.look();
    expect(secrets.get("default")).toBe(before);
    expect(logged.slice(1)).toEqual([expect.stringMatching(/key\.pem is not the key of.*The last good ones serve on/)]);
    await write(next);
    await certificate.look();
    expect(secrets.get("default")).toEqual({ certificateChain: next["cert-chain.pem"], privateKey: next["key.pem"] });
    expect(secrets.get("ROOTCA")).toEqual({ trustedCa: next["root-cert.pem"] });
  });

  it.each<[string, string]>([
    ["cert-chain.pem", "cert-chain.pem holds no certificate"],
    ["key.pem", "key.pem holds no unencrypted private key"],
    ["root-cert.pem", "root-cert.pem holds no certificate"],
  ])("is not taken with rubbish in %s, which no log repeats", async (name, why) => {
    await write({ ...(await files()), [name]: "-----BEGIN rubbish" });
    void certificate.start();
    await until(() => logged.length > 0);
    expect(secrets.get("default")).toBeNull();
    expect(logged).toEqual([expect.stringContaining(why)]);
    expect(logged.join()).not.toContain("rubbish");
  });

  it("is waited for where a file is missing", async () => {
    const started = certificate.start();
    await until(() => logged.length > 0);
    expect(logged).toEqual([expect.stringContaining("can't be read (ENOENT)")]);
    await write(await files());
    clock.advance(1000);
    await started;
    expect(secrets.get("default")).not.toBeNull();
  });

  it("is warned about when its end is near, and when it has come", async () => {
    await write(await files(10 * HOUR));
    await certificate.start();
    certificate.close();
    for (const [hours, lines] of [
      [7, 1],
      [1.5, 2],
      [2, 3],
    ] as const) {
      clock.advance(hours * HOUR);
      await certificate.look();
      expect(logged).toHaveLength(lines);
    }
    expect(logged.slice(1)).toEqual([
      expect.stringMatching(/expires at .* Replace its files/),
      expect.stringMatching(/expired at .* Replace its files/),
    ]);
  });

  it("has a key that others should not read", async () => {
    await write(await files());
    await chmod(join(folder, "key.pem"), 0o644);
    await certificate.start();
    expect(logged[0]).toContain("can be read by others");
  });
});
