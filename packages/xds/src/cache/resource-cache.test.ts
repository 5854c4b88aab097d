import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { chmod } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Any } from "@bufbuild/protobuf/wkt";
import { VirtualClock } from "@mixerless/clock";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ResourceUpdate, SubscriptionView } from "../client/client-protocol.ts";
import { TypeUrl } from "../resource-types.ts";
import { type CacheOptions, ResourceCache } from "./resource-cache.ts";

const clock = new VirtualClock();
let folder = "";
let file = "";
let faults: string[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "mixerless-cache-"));
  file = join(folder, "state", "configuration.cache");
  faults = [];
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function open(options: Partial<CacheOptions> = {}, node = "a"): ResourceCache {
  return new ResourceCache({ file, onFault: (message) => faults.push(message), ...options }, clock, node);
}

function resource(name: string, content = name, typeUrl: string = TypeUrl.cluster) {
  const any: Any = { $typeName: "google.protobuf.Any", typeUrl, value: new TextEncoder().encode(content) };
  return { name, version: "1", any };
}

function subscriptions(...held: [typeUrl: string, names: string[]][]): Map<string, SubscriptionView> {
  return new Map(
    held.map(([typeUrl, names]) => [
      typeUrl,
      { wanted: "*", known: new Map(names.map((name) => [name, "1"])), acceptedVersion: "1", lastError: null },
    ]),
  );
}

/** A run that received `update` and ended. */
async function run(update: Partial<ResourceUpdate>, held: string[], options?: Partial<CacheOptions>): Promise<void> {
  const cache = open(options);
  cache.recording(() => [])({ typeUrl: TypeUrl.cluster, systemVersion: "1", resources: [], removed: [], ...update });
  cache.changed(subscriptions([update.typeUrl ?? TypeUrl.cluster, held]));
  await cache.close();
}

async function namesOnDisk(typeUrl: string = TypeUrl.cluster, node = "a"): Promise<string[]> {
  const cache = open({}, node);
  cache.load();
  await new Promise<void>((resolve) => cache.whenLoaded(resolve));
  const names = cache.take(typeUrl, () => true)?.resources.map(({ name }) => name) ?? [];
  return names.sort();
}

describe("the last good configuration on disk", () => {
  it("is what the next run gets, each resource once", async () => {
    await run({ resources: [resource("x"), resource("y")] }, ["x", "y"]);
    const cache = open();
    cache.load();
    await new Promise<void>((resolve) => cache.whenLoaded(resolve));
    const take = (...names: string[]) =>
      cache
        .take(TypeUrl.cluster, (name) => names.includes(name))
        ?.resources.map(({ name, version, any }) => [name, version, new TextDecoder().decode(any.value)]);
    expect(take("x")).toEqual([["x", "1", "x"]]);
    expect(take("x", "y")).toEqual([["y", "1", "y"]]);
    expect(take("x", "y")).toBeUndefined();
    expect(faults).toEqual([]);
  });

  it("is readable for its owner only, and leaves nothing beside it", async () => {
    await run({ resources: [resource("x")] }, ["x"]);
    expect((statSync(file).mode & 0o777).toString(8)).toBe("600");
    expect((statSync(join(folder, "state")).mode & 0o777).toString(8)).toBe("700");
    expect(readdirSync(join(folder, "state"))).toEqual(["configuration.cache"]);
  });

  it("never holds a secret, nor a resource with a private key or pull credentials in it", async () => {
    await run({ typeUrl: TypeUrl.secret, resources: [resource("s", "top secret", TypeUrl.secret)] }, ["s"]);
    expect(readFileSync(file, "latin1")).not.toContain("top secret");
    const key = resource("key", "-----BEGIN EC PRIVATE KEY-----\ntop secret");
    const pull = resource("pull", "ISTIO_META_WASM_IMAGE_PULL_SECRET top secret");
    await run({ resources: [resource("x"), key, pull] }, ["x", "key", "pull"]);
    expect(readFileSync(file, "latin1")).not.toContain("top secret");
    expect(await namesOnDisk()).toEqual(["x"]);
  });

  it("holds what was accepted, without what was refused or removed since", async () => {
    const cache = open();
    const record = cache.recording(() => [{ name: "bad", message: "no" }]);
    const update = { typeUrl: TypeUrl.cluster, systemVersion: "1", removed: [] };
    record({ ...update, resources: [resource("good"), resource("bad"), resource("gone"), resource("dropped")] });
    record({ ...update, resources: [], removed: ["gone"] });
    cache.changed(subscriptions([TypeUrl.cluster, ["good", "bad"]]));
    await cache.close();
    expect(await namesOnDisk()).toEqual(["good"]);
  });

  it("is written once changes are quiet, and every ten delays while they are not", async () => {
    const cache = open({ delay: 1000 });
    const record = cache.recording(() => []);
    const write = (name: string) => {
      record({ typeUrl: TypeUrl.cluster, systemVersion: "1", resources: [resource(name)], removed: [] });
      cache.changed(subscriptions([TypeUrl.cluster, ["x", "y"]]));
    };
    write("x");
    for (let i = 0; i < 18; i++) {
      clock.advance(500);
      write("y");
    }
    expect(readdirSync(folder)).toEqual([]);
    clock.advance(1000);
    await cache.close();
    expect(await namesOnDisk()).toEqual(["x", "y"]);
  });

  it("keeps what an earlier run had of types that this one has not got to", async () => {
    await run({ typeUrl: TypeUrl.listener, resources: [resource("l", "l", TypeUrl.listener)] }, ["l"]);
    const cache = open();
    cache.load();
    const update = { typeUrl: TypeUrl.cluster, systemVersion: "1", resources: [resource("x")], removed: [] };
    cache.recording(() => [])(update);
    cache.changed(subscriptions([TypeUrl.cluster, ["x"]]));
    await cache.close();
    expect(await namesOnDisk(TypeUrl.listener)).toEqual(["l"]);
    expect(await namesOnDisk(TypeUrl.cluster)).toEqual(["x"]);
  });

  it("is given up, the old one too, when it grows beyond its bound", async () => {
    await run({ resources: [resource("x")] }, ["x"]);
    await run({ resources: [resource("x", "x".repeat(5000))] }, ["x"], { maxBytes: 4096 });
    expect(faults).toEqual([expect.stringMatching(/is not written: \d+ bytes are more than the 4096 allowed/)]);
    expect(readdirSync(join(folder, "state"))).toEqual([]);
  });
});

describe("a cache that cannot be used is named and ignored", () => {
  beforeEach(() => run({ resources: [resource("x")] }, ["x"]));

  it.each([
    ["cut short", () => writeFileSync(file, readFileSync(file).subarray(0, -3)), /its checksum is wrong/],
    ["changed", () => flip(-1), /its checksum is wrong/],
    ["of zero bytes", () => writeFileSync(file, ""), /does not begin with the header/],
    ["something else", () => writeFileSync(file, "{}\n"), /does not begin with the header/],
    [
      "of another format",
      () => writeFileSync(file, readFileSync(file, "latin1").replace("cache/1", "cache/9"), "latin1"),
      /its format is/,
    ],
    ["writable for others", () => chmod(file, 0o666), /others than its owner may write to it/],
  ])("%s", async (_what, spoil, message) => {
    await spoil();
    expect(await namesOnDisk()).toEqual([]);
    expect(faults).toEqual([expect.stringMatching(message)]);
    expect(faults[0]).toContain(file);
  });

  it("another node's", async () => {
    expect(await namesOnDisk(TypeUrl.cluster, "b")).toEqual([]);
    expect(faults).toEqual([expect.stringContaining('belongs to the node "a"')]);
  });

  it("too large", async () => {
    const cache = open({ maxBytes: 10 });
    cache.load();
    await new Promise<void>((resolve) => cache.whenLoaded(resolve));
    expect(cache.take(TypeUrl.cluster, () => true)).toBeNull();
    expect(faults).toEqual([expect.stringContaining("larger than 10 bytes")]);
  });

  it("but one that is not there is nothing to speak of", async () => {
    rmSync(file);
    expect(await namesOnDisk()).toEqual([]);
    expect(faults).toEqual([]);
  });

  function flip(at: number): void {
    const bytes = readFileSync(file);
    bytes[bytes.length + at] = (bytes.at(at) ?? 0) ^ 1;
    writeFileSync(file, bytes);
  }
});
