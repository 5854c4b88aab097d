import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { VirtualClock } from "@mixerless/clock";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FileSecrets } from "./file-secrets.ts";
import { hostMatches } from "./host-match.ts";
import { RoutedSecrets } from "./routed-secrets.ts";
import { SecretStore } from "./secret-store.ts";

let folder: string;
let clock: VirtualClock;
let log: string[];
let files: FileSecrets;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "mixerless-secrets-"));
  clock = new VirtualClock(0);
  log = [];
  files = new FileSecrets(clock, (line) => log.push(line));
});

afterEach(() => {
  files.close();
  rmSync(folder, { recursive: true });
});

const write = (name: string, text: string) => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};

describe("secrets in files", () => {
  it("are read when they are asked for, and again when they change", () => {
    const name = `file-cert:${write("c", "chain")}~${write("k", "key")}`;
    let changes = 0;
    const stop = files.subscribe(name, () => changes++);
    expect(files.get(name)).toEqual({ certificateChain: "chain", privateKey: "key" });
    clock.advance(5000);
    expect(changes).toBe(1);
    write("c", "renewed");
    clock.advance(5000);
    expect([changes, files.get(name)]).toEqual([2, { certificateChain: "renewed", privateKey: "key" }]);
    stop();
    write("c", "unwanted");
    clock.advance(5000);
    expect(changes).toBe(2);
  });

  it("that can't be read are missing, which is said once, until they can", () => {
    const name = `file-root:${join(folder, "late")}`;
    files.subscribe(name, () => {});
    clock.advance(20_000);
    expect([files.get(name), log]).toEqual([null, [`${name} can't be read: ENOENT`]]);
    write("late", "roots");
    clock.advance(5000);
    expect(files.get(name)).toEqual({ trustedCa: "roots" });
  });

  it("know what the system trusts", () => {
    files.subscribe("file-root:system", () => {});
    expect(JSON.stringify(files.get("file-root:system"))).toContain("BEGIN CERTIFICATE");
  });
});

it("each secret comes from where its name says", () => {
  const [agent, pilot] = [new SecretStore(), new SecretStore()];
  const routed = new RoutedSecrets({ agent, files, pilot });
  agent.set("default", { trustedCa: "agent" });
  agent.set("kubernetes://x", { trustedCa: "not this one" });
  pilot.set("kubernetes://x", { trustedCa: "pilot" });
  expect([routed.get("default"), routed.get("kubernetes://x")]).toEqual([
    { trustedCa: "agent" },
    { trustedCa: "pilot" },
  ]);
  routed.subscribe(`file-root:${write("r", "file")}`, () => {});
  expect(routed.get(`file-root:${join(folder, "r")}`)).toEqual({ trustedCa: "file" });
});

describe("a certificate's host name", () => {
  it.each([
    ["a.example.com", "a.example.com", true],
    ["A.example.com", "a.EXAMPLE.com", true],
    ["a.example.com", "*.example.com", true],
    ["a.b.example.com", "*.example.com", false],
    ["example.com", "*.com", false],
    ["example.com", "*.example.com", false],
    ["10.0.0.1", "*.0.0.1", false],
    ["a.example.com", "b.example.com", false],
  ])("%s by %s: %s", (host, name, expected) => {
    expect(hostMatches(host)(name)).toBe(expected);
  });
});
