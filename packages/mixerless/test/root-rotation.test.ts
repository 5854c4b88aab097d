import { execFile } from "node:child_process";
import { createPrivateKey } from "node:crypto";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { connect, type TLSSocket } from "node:tls";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { SystemClock } from "@mixerless/clock";
import { createKeyAndRequest } from "@mixerless/identity";
import { AuthorityFolder, CertificateAuthority } from "@mixerless/identity/authority";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Load } from "./load.ts";
import { RunningDemo } from "./running-demo.ts";
import { SecretStream } from "./secret-stream.ts";

const run = promisify(execFile);
const COMMAND = fileURLToPath(new URL("../bin/mixerless.js", import.meta.url));
/** Its sidecar is somebody else's: the demo serves it secrets on a socket. */
const EXTERNAL = "ratings-v1";
const PEER = "mesh";

describe("a root that is replaced while a mesh works", () => {
  let demo: RunningDemo;
  let load: Load;
  let folder: string;
  let secrets: SecretStream;

  beforeAll(async () => {
    demo = await RunningDemo.start("--no-traffic", "--reviews", "v1", "--external", EXTERNAL);
    folder = join(dirname(demo.summary.config), "authority");
    secrets = new SecretStream(join(dirname(demo.summary.config), "sds", EXTERNAL));
  }, 60_000);

  afterAll(async () => {
    secrets?.close();
    await load?.stop();
    await demo?.stop();
  }, 30_000);

  const ca = (...flags: string[]) =>
    run(process.execPath, [COMMAND, "ca", ...flags, "--pilot", demo.summary.pilot], { timeout: 60_000 });
  const rotate = (...flags: string[]) => ca("rotate-root", ...flags, "--authority", folder);
  const roots = async () =>
    (JSON.parse(await demo.pilot("/debug/caz")) as { roots: { fingerprint: string; role: string; inUse: number }[] })
      .roots;
  const roles = async () => (await roots()).map(({ role }) => role);

  /** A certificate of details' own kind that nobody renews, under the root that signs now. */
  async function straggler(): Promise<Pair> {
    const clock = new SystemClock();
    const files = await AuthorityFolder.open({ folder, clock, trustDomain: "cluster.local", log: () => {} });
    const authority = new CertificateAuthority({ clock, signer: () => files.signer });
    const identity = { trustDomain: "cluster.local", namespace: "default", serviceAccount: "bookinfo-productpage" };
    const { key, csr } = await createKeyAndRequest(identity);
    const { chain } = await authority.issue(csr, identity, 0);
    expect(createPrivateKey(key).asymmetricKeyType).toBe("ec");
    return { key, cert: chain.slice(0, -1).join("") };
  }

  it("signs without a refused request, and what the old one signed is let in until it is dropped, not after", async () => {
    load = new Load(`${demo.summary.ingress}/productpage`);
    const old = await straggler();
    const target = demo.workload("details-v1").inbound;
    const first = await call(target, old);
    expect(first).toMatchObject({ answered: true });
    const session = first.session;
    expect(session).not.toBeNull();
    const [before] = await roots();
    await secrets.whenRoots((count) => count === 1);

    // Not due yet, or not asked by the operator.
    await expect(rotate("drop")).rejects.toMatchObject({ stderr: expect.stringContaining('Next comes "add"') });
    const stranger = await fetch(`${demo.summary.pilot}/debug/caz/rotate?stage=add`, { method: "POST" });
    expect(stranger.status).toBe(403);

    await rotate("add");
    expect(await roles()).toEqual(["signs", "next"]);
    // The one that serves an Envoy hears at once, not when it renews.
    await secrets.whenRoots((count) => count === 2);
    expect(secrets.certificates).toBe(1);

    await rotate("issue");
    expect(await roles()).toEqual(["old", "signs"]);
    await load.more(20);
    expect(await call(target, old)).toMatchObject({ answered: true });

    // Interrupted, and taken up again.
    const { stdout } = await rotate();
    expect(stdout).toMatch(/^drop: /);
    const after = await roots();
    expect(after.map(({ role }) => role)).toEqual(["signs"]);
    expect(after[0]?.fingerprint).not.toBe(before?.fingerprint);
    await secrets.whenRoots((count) => count === 1);
    expect(secrets.certificates).toBe(2);

    while ((await call(target, old)).answered) await load.more(5);
    expect(await call(target, old, session)).toMatchObject({ answered: false });
    await load.more(50);
    await load.stop();
    expect(Object.fromEntries(load.answers)).toEqual({ 200: load.total });
    expect((await ca("status")).stdout).toContain(after[0]?.fingerprint.slice(0, 16));
    expect(readFileSync(join(folder, "roots.pem"), "utf8").match(/BEGIN/g)).toHaveLength(1);
  }, 120_000);
});

interface Pair {
  readonly key: string;
  readonly cert: string;
}

interface Called {
  /** Whether the server let the client in. */
  readonly answered: boolean;
  readonly session: Buffer | null;
}

/** Shows a certificate to a sidecar, or continues a session without showing one. */
function call(target: string, pair: Pair, session: Buffer | null = null): Promise<Called> {
  const [host = "", port = ""] = target.split(":");
  return new Promise((resolve) => {
    let ticket: Buffer | null = null;
    let text = "";
    const socket: TLSSocket = connect({
      ...{ host, port: Number(port), rejectUnauthorized: false, servername: PEER },
      ALPNProtocols: ["istio", "http/1.1"],
      ...(session === null ? pair : { session }),
    });
    const end = () => {
      socket.destroy();
      resolve({ answered: text.startsWith("HTTP/1.1"), session: ticket });
    };
    socket.on("session", (given: Buffer) => {
      ticket = given;
    });
    socket.on("secureConnect", () =>
      socket.write("GET /details/0 HTTP/1.1\r\nhost: details:9080\r\nconnection: close\r\n\r\n"),
    );
    socket.on("data", (bytes: Buffer) => {
      text += bytes.toString();
    });
    socket.on("error", end);
    socket.on("close", end);
  });
}
