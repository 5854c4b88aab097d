import { mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { SystemClock, VirtualClock } from "@mixerless/clock";
import { MetricStore } from "@mixerless/metrics";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { sha256 } from "./fetch-image.ts";
import { ModuleCache } from "./module-cache.ts";
import { readModuleSettings } from "./module-settings.ts";
import { TestRegistry, tarOf } from "./testing/test-registry.ts";

const MODULE = Buffer.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);
const OTHER = Buffer.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 0, 1, 0]);

let registry: TestRegistry;
let folder: string;
let caches: ModuleCache[];

beforeEach(async () => {
  registry = await TestRegistry.start();
  folder = await mkdtemp(join(tmpdir(), "modules-"));
  caches = [];
});

afterEach(async () => {
  for (const cache of caches) cache.close();
  await registry.close();
  await rm(folder, { recursive: true, force: true });
});

const metrics = new MetricStore({ clock: new VirtualClock() });

function open(
  environment: Record<string, string> = {},
  clock = new SystemClock() as SystemClock | VirtualClock,
): ModuleCache {
  const settings = readModuleSettings(
    { WASM_INSECURE_REGISTRIES: registry.host, WASM_HTTP_REQUEST_MAX_RETRIES: "1", ...environment },
    () => {},
  );
  const cache = new ModuleCache({ clock, settings, folder: join(folder, "m"), metrics, random: () => 0 });
  caches.push(cache);
  return cache;
}

const ask = (url: string, more: object = {}) => ({
  ...{ plugin: "p", url, sha256: "", policy: "" as const, version: "1", pullSecret: "" },
  ...more,
});
const image = (tag: string) => `oci://${registry.host}/team/plugin${tag}`;
const login = (text: string) =>
  JSON.stringify({ auths: { [registry.host]: { auth: Buffer.from(text).toString("base64") } } });

async function result(cache: ModuleCache, url: string, more: object = {}): Promise<string> {
  const answer = await cache.get(ask(url, more));
  return "fault" in answer ? answer.fault : answer.digest === sha256(MODULE) ? "module" : "other";
}

describe("an image", () => {
  it.each([
    ["an artefact", () => registry.artefact("team/plugin", "v1", MODULE)],
    [
      "an artefact of the older media type",
      () => registry.artefact("team/plugin", "v1", MODULE, "application/vnd.wasm.content.layer.v1+wasm"),
    ],
    [
      "a container with plugin.wasm in its last layer",
      () => registry.container("team/plugin", "v1", { "a.txt": OTHER, "./plugin.wasm": MODULE }),
    ],
    ["an index", () => registry.index("team/plugin", "v1", registry.artefact("team/plugin", "x", MODULE))],
  ])("may be %s", async (_name, put) => {
    put();
    expect(await result(open(), image(":v1"))).toBe("module");
  });

  it("is pulled by token without a login, and by a pull secret with one", async () => {
    registry.artefact("team/plugin", "v1", MODULE);
    registry.anonymousTokens = true;
    expect(await result(open(), image(":v1"))).toBe("module");
    registry.login = "user:right";
    const pullSecret = login("user:right");
    expect(await result(open(), image(":v1"), { pullSecret, policy: "Always", version: "2" })).toBe("module");
  });

  it("says what is wrong with a login", async () => {
    registry.artefact("team/plugin", "v1", MODULE);
    registry.login = "user:right";
    expect(await result(open(), image(":v1"), { pullSecret: login("user:wrong") })).toContain(
      "user or password is wrong",
    );
    expect(await result(open(), image(":v1"))).toContain("set imagePullSecret");
  });

  it("that is not there, has no module, is too large or not what its digest says, is a fault that says so", async () => {
    const cache = open({ ISTIO_WASM_MAX_BINARY_SIZE_BYTES: "4096" });
    expect(await result(cache, image(":none"))).toContain("has no image team/plugin with manifests none");
    registry.container("team/plugin", "empty", { "a.txt": Buffer.from("no") });
    expect(await result(cache, image(":empty"))).toContain("holds no Wasm module");
    registry.artefact("team/plugin", "large", Buffer.alloc(5000));
    expect(await result(cache, image(":large"))).toContain("5000 bytes, 4096 are allowed");
    registry.container("team/plugin", "bomb", { "plugin.wasm": Buffer.alloc(1_000_000) });
    expect(await result(cache, image(":bomb"))).toContain("unpacks to more than 4096 bytes");
    const digest = registry.artefact("team/plugin", "v1", MODULE);
    expect(await result(cache, image(`@sha256:${"0".repeat(64)}`))).toContain("has no image");
    registry.corrupt();
    expect(await result(cache, image(`@${digest}`))).toContain("sends a layer that is not sha256:");
  });

  it("in clear is pulled from registries that are told to be insecure only", async () => {
    registry.artefact("team/plugin", "v1", MODULE);
    expect(await result(open({ WASM_INSECURE_REGISTRIES: "" }), image(":v1"))).toContain("can't be reached");
  });

  it("is not pulled where the registry sends for a token to an address inside the network", async () => {
    registry.artefact("team/plugin", "v1", MODULE);
    registry.anonymousTokens = true;
    registry.realm = "http://169.254.169.254/token";
    expect(await result(open(), image(":v1"))).toContain("an address inside this network");
  });
});

describe("a file over HTTP", () => {
  const at = (path: string) => `http://${registry.host}/v2/${path}`;

  it.each([
    ["bare", MODULE],
    ["in gzip", gzipSync(MODULE)],
    ["in tar", tarOf({ "plugin.wasm": MODULE })],
    ["in both", gzipSync(tarOf({ "first.wasm": MODULE }))],
  ])("may be %s", async (_name, bytes) => {
    registry.artefact("f", "v1", bytes);
    const url = at(`f/blobs/sha256:${sha256(bytes)}`);
    expect(await result(open(), url, { sha256: sha256(bytes) })).toBe("module");
  });

  it("with another checksum than was told is refused with both", async () => {
    registry.artefact("f", "v1", MODULE);
    const url = at(`f/blobs/sha256:${sha256(MODULE)}`);
    const wrong = "ab".repeat(32);
    expect(await result(open(), url, { sha256: wrong })).toContain(`has the checksum ${sha256(MODULE)}, not ${wrong}`);
  });

  it("of a broken server is tried again with growing pauses, of one that says no it is not", async () => {
    registry.broken = 503;
    const clock = new VirtualClock();
    const answer = open({ WASM_HTTP_REQUEST_MAX_RETRIES: "3" }, clock).get(ask(at("x")));
    while (registry.asked.length < 3) {
      await new Promise((wake) => setImmediate(wake));
      clock.advance(1);
    }
    expect(await answer).toMatchObject({ fault: expect.stringContaining("answers 503"), transient: true });
    registry.broken = 404;
    expect(await open({ WASM_HTTP_REQUEST_MAX_RETRIES: "3" }).get(ask(at("x")))).toMatchObject({ transient: false });
    expect(registry.asked).toHaveLength(4);
  });

  it("of a server that does not answer in time is given up", async () => {
    registry.silent = true;
    const clock = new VirtualClock();
    const answer = open({ WASM_HTTP_REQUEST_TIMEOUT: "2s" }, clock).get(ask(at("x")));
    while (registry.asked.length === 0) await new Promise((wake) => setImmediate(wake));
    clock.advance(2000);
    expect(await answer).toMatchObject({ fault: expect.stringContaining("took longer than 2000 ms"), transient: true });
  });
});

describe("the cache", () => {
  const pulls = () => registry.asked.filter((path) => path.includes("/manifests/")).length;

  it.each([
    ["a tag is not pulled again", ":v1", {}, {}, 1],
    ["latest is, for a new version of its plugin", ":latest", {}, { version: "2" }, 2],
    ["latest is not for the same version", ":latest", {}, {}, 1],
    ["latest with IfNotPresent is not", ":latest", { policy: "IfNotPresent" }, { version: "2" }, 1],
    ["a tag with Always is, for a new version", ":v1", { policy: "Always" }, { version: "2" }, 2],
  ])("%s", async (_name, tag, first, second, expected) => {
    registry.artefact("team/plugin", tag.slice(1), MODULE);
    const cache = open();
    await result(cache, image(tag), first);
    expect(await result(cache, image(tag), { ...first, ...second })).toBe("module");
    expect(pulls()).toBe(expected);
  });

  it("goes by the checksum where there is one, whatever the policy", async () => {
    const digest = registry.artefact("team/plugin", "latest", MODULE);
    const cache = open();
    await result(cache, image(":latest"));
    const sha = digest.slice("sha256:".length);
    expect(await result(cache, image(":latest"), { sha256: sha, policy: "Always", version: "9" })).toBe("module");
    expect(pulls()).toBe(1);
  });

  it("fetches once for all who ask at the same time", async () => {
    registry.artefact("team/plugin", "v1", MODULE);
    const cache = open();
    await Promise.all([1, 2, 3].map(() => result(cache, image(":v1"))));
    expect(pulls()).toBe(1);
  });

  it("outlives the process, with the registry away, in files for nobody else", async () => {
    registry.artefact("team/plugin", "v1", MODULE);
    await result(open(), image(":v1"));
    registry.broken = 500;
    expect(await result(open(), image(":v1"))).toBe("module");
    expect((await stat(join(folder, "m"))).mode & 0o777).toBe(0o700);
    for (const file of await readdir(join(folder, "m")))
      expect((await stat(join(folder, "m", file))).mode & 0o777).toBe(0o600);
  });

  it("does not give what was changed on disk", async () => {
    registry.artefact("team/plugin", "v1", MODULE);
    const cache = open();
    await result(cache, image(":v1"));
    await writeFile(join(folder, "m", `${sha256(MODULE)}.wasm`), OTHER);
    expect(await result(cache, image(":v1"))).toBe("module");
    expect(pulls()).toBe(2);
  });

  it("keeps to its size: what was used last stays", async () => {
    registry.artefact("team/plugin", "v1", MODULE);
    registry.artefact("team/plugin", "v2", OTHER);
    const cache = open({ MIXERLESS_WASM_CACHE_BYTES: "12" });
    await result(cache, image(":v1"));
    await result(cache, image(":v2"));
    const kept = (await readdir(join(folder, "m"))).filter((name) => name.endsWith(".wasm"));
    expect(kept).toEqual([`${sha256(OTHER)}.wasm`]);
  });

  it("counts as Istio's agent does", async () => {
    registry.artefact("team/plugin", "v1", MODULE);
    const cache = open();
    await result(cache, image(":v1"));
    await result(cache, image(":v1"));
    const text = metrics.text();
    for (const name of ["wasm_cache_entries", "wasm_cache_lookup_count", "wasm_remote_fetch_count"])
      expect(text).toContain(`istio_agent_${name}`);
  });
});
