import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { VirtualClock } from "@mixerless/clock";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { AuthorityFolder } from "./authority-folder.ts";
import { createRoot } from "./root.ts";
import type { AuthorityFiles } from "./signer.ts";

const DAY = 86_400_000;

let folder: string;
let clock: VirtualClock;
let logged: string[];
let changes: number;

beforeEach(async () => {
  folder = join(await mkdtemp(join(tmpdir(), "mixerless-authority-")), "state");
  clock = new VirtualClock();
  logged = [];
  changes = 0;
});

afterEach(() => rm(join(folder, ".."), { recursive: true, force: true }));

function open(): Promise<AuthorityFolder> {
  return AuthorityFolder.open({
    folder,
    clock,
    trustDomain: "cluster.local",
    lifetime: 100 * DAY,
    log: (message) => logged.push(message),
    onChange: () => {
      changes++;
    },
  });
}

async function plugIn(files: Partial<AuthorityFiles>): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    await writeFile(join(folder, name), text);
    await chmod(join(folder, name), 0o600);
  }
}

const mode = async (name: string) => ((await stat(join(folder, name))).mode & 0o777).toString(8);

describe("an authority of the mesh's own", () => {
  it("is the same after a restart, and nobody else can read it", async () => {
    const first = await open();
    const again = await open();
    expect(again.signer.facts.fingerprint).toBe(first.signer.facts.fingerprint);
    expect(Buffer.from(again.joinKey).equals(Buffer.from(first.joinKey))).toBe(true);
    expect((await readdir(folder)).sort()).toEqual(["authority.json", "join-key", "roots.pem"]);
    expect(await readFile(join(folder, "roots.pem"), "utf8")).toBe(first.roots.join(""));
    expect([await mode("."), await mode("authority.json"), await mode("join-key")]).toEqual(["700", "600", "600"]);
  });

  it("follows itself in time, and says so", async () => {
    const authority = await open();
    clock.advance(81 * DAY);
    await authority.check();
    expect([authority.roots.length, changes]).toEqual([2, 1]);
    expect(await readFile(join(folder, "roots.pem"), "utf8")).toBe(authority.roots.join(""));
    expect((await open()).roots).toEqual(authority.roots);
  });

  it("that is damaged on disk is not replaced by another, nor shown in the error", async () => {
    await open();
    const text = await readFile(join(folder, "authority.json"), "utf8");
    await writeFile(join(folder, "authority.json"), text.slice(0, -20));
    await expect(open()).rejects.toThrow(/authority\.json is damaged\. Restore it/);
    await expect(open()).rejects.not.toThrow(/PRIVATE/);
  });
});

describe("a plugged-in authority", () => {
  let files: AuthorityFiles;

  beforeEach(async () => {
    await open();
    files = await createRoot("cluster.local", clock.now(), 100 * DAY);
  });

  it("signs in place of one that was made here", async () => {
    await plugIn(files);
    const authority = await open();
    expect([authority.signer.certificate.trim(), authority.roots.length]).toEqual([files["ca-cert.pem"].trim(), 1]);
    await expect(authority.step("add")).rejects.toThrow("put the new one beside the old one");
  });

  it("is taken over while it changes, with both roots in the file; the last good one signs on while it is wrong", async () => {
    await plugIn(files);
    const authority = await open();
    const before = authority.signer.facts.fingerprint;
    const next = await createRoot("cluster.local", clock.now(), 100 * DAY);
    await plugIn({ "ca-key.pem": next["ca-key.pem"] });
    await authority.check();
    expect([authority.signer.facts.fingerprint, changes]).toEqual([before, 0]);
    expect(logged.join()).toContain("ca-key.pem is not the key of ca-cert.pem");
    await plugIn({ ...next, "root-cert.pem": next["root-cert.pem"] + files["root-cert.pem"] });
    await authority.check();
    expect([authority.signer.facts.fingerprint === before, authority.roots.length, changes]).toEqual([false, 2, 1]);
  });

  it("is refused when a part is missing, and complained of when others can read its key", async () => {
    const { "root-cert.pem": _root, ...rest } = files;
    await plugIn(rest);
    await expect(open()).rejects.toThrow("root-cert.pem is missing");
    await plugIn(files);
    await chmod(join(folder, "ca-key.pem"), 0o644);
    await open();
    expect(logged.join()).toContain("can be read by others");
  });
});
