import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { SystemClock, VirtualClock } from "@mixerless/clock";
import { TestIssuer } from "@mixerless/identity/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ConfigStore } from "../config/config-store.ts";
import { readConfig } from "../config/read-config.ts";
import { createFetchText } from "./fetch-text.ts";
import { KeySets } from "./key-sets.ts";
import { MeshKeySets } from "./mesh-key-sets.ts";

const A = new TestIssuer("https://a");
const B = new TestIssuer("https://b");
const KEYS = "https://keys/jwks";
const MINUTE = 60_000;

/** Answers of a web that a test makes up; a text, or the reason why there is none. */
function web() {
  const clock = new VirtualClock();
  const pages = new Map<string, string | Error>();
  const asked: string[] = [];
  const changes: string[] = [];
  const fetch = async (url: string) => {
    asked.push(url);
    const page = pages.get(url) ?? new Error("nobody there");
    if (page instanceof Error) throw page;
    return page;
  };
  const fetches: boolean[] = [];
  const onFetch = (ok: boolean) => fetches.push(ok);
  const sets = new KeySets(clock, fetch, { onChange: (url) => changes.push(url), onFetch });
  return { clock, pages, asked, changes, fetches, fetch, onFetch, sets };
}

/** Lets what was promised happen. */
const settled = async () => {
  for (let i = 0; i < 20; i++) await Promise.resolve();
};

describe("key sets", () => {
  it("are fetched once, and looked at again every twenty minutes", async () => {
    const { clock, pages, asked, changes, sets } = web();
    pages.set(KEYS, A.jwks);
    await sets.want([{ url: KEYS, discovery: false }]);
    expect(sets.want([{ url: KEYS, discovery: false }])).toBeNull();
    expect([...sets.texts()]).toEqual([[KEYS, A.jwks]]);
    clock.advance(20 * MINUTE - 1);
    expect(asked).toHaveLength(1);
    clock.advance(1);
    await settled();
    expect([asked.length, changes]).toEqual([2, [KEYS]]);
    pages.set(KEYS, B.jwks);
    clock.advance(20 * MINUTE);
    await settled();
    expect(changes).toEqual([KEYS, KEYS]);
    expect(sets.texts().get(KEYS)).toBe(B.jwks);
  });

  it("that were good outlive failures, which are told and tried again sooner and sooner later", async () => {
    const { clock, pages, asked, fetches, sets } = web();
    pages.set(KEYS, A.jwks);
    await sets.want([{ url: KEYS, discovery: false }]);
    pages.set(KEYS, new Error("refused"));
    clock.advance(20 * MINUTE);
    await settled();
    expect([sets.texts().get(KEYS), sets.problem(KEYS)]).toEqual([A.jwks, "refused"]);
    for (const delay of [1, 2, 4, 8, 16, 32, 60, 60]) {
      const before = asked.length;
      clock.advance(delay * 1000 - 1);
      expect(asked).toHaveLength(before);
      clock.advance(1);
      await settled();
      expect(asked).toHaveLength(before + 1);
    }
    pages.set(KEYS, B.jwks);
    clock.advance(MINUTE);
    await settled();
    expect([sets.texts().get(KEYS), sets.problem(KEYS)]).toEqual([B.jwks, null]);
    expect(fetches).toEqual([true, ...Array(9).fill(false), true]);
  });

  it.each([
    ["<html>", "what came is no key set: it is no JSON"],
    ['{"keys":[]}', "what came is no key set: it holds no usable public key"],
  ])("are not what has no keys: %s", async (text, problem) => {
    const { pages, sets } = web();
    pages.set(KEYS, text);
    await sets.want([{ url: KEYS, discovery: false }]);
    expect([sets.texts().size, sets.problem(KEYS)]).toEqual([0, problem]);
  });

  it("are found by a discovery document", async () => {
    const { pages, sets } = web();
    const url = "https://a/.well-known/openid-configuration";
    pages.set(url, JSON.stringify({ jwks_uri: KEYS })).set(KEYS, A.jwks);
    await sets.want([{ url, discovery: true }]);
    expect(sets.texts().get(url)).toBe(A.jwks);
    for (const document of ["{}", "null", "x", '{"jwks_uri":"file:///etc/passwd"}']) {
      const other = web();
      other.pages.set(url, document);
      await other.sets.want([{ url, discovery: true }]);
      expect(other.sets.problem(url)).toBe("the discovery document names no jwks_uri");
    }
  });

  it("that nobody wants any more are forgotten, also while they come", async () => {
    const { clock, pages, asked, changes, sets } = web();
    pages.set(KEYS, A.jwks);
    const tried = sets.want([{ url: KEYS, discovery: false }]);
    sets.want([]);
    await tried;
    clock.advance(60 * MINUTE);
    expect([asked.length, changes.length, sets.texts().size]).toEqual([1, 0, 0]);
  });
});

describe("the key sets of a configuration", () => {
  function meshOf(remoteKeys: "off" | "hybrid" | "envoy", jwtRules: readonly object[]) {
    const store = new ConfigStore();
    const config = {
      apiVersion: "security.istio.io/v1",
      kind: "RequestAuthentication",
      metadata: { name: "a", namespace: "foo" },
      spec: { jwtRules },
    };
    store.apply([{ reading: readConfig({ file: "a.yaml", text: JSON.stringify(config) }) }]);
    const world = web();
    const changed: string[][] = [];
    const mesh = new MeshKeySets({ ...world, remoteKeys, onChange: (keys) => changed.push([...keys]) });
    return { ...world, mesh, changed, snapshot: store.snapshot() };
  }

  it("hold a revision back until they were tried, but not for long, and say later whom they concern", async () => {
    const { clock, pages, mesh, changed, snapshot } = meshOf("off", [{ issuer: "a", jwksUri: KEYS }]);
    let ready = 0;
    mesh.prepare(snapshot, () => ready++);
    expect(ready).toBe(0);
    await settled();
    expect([ready, mesh.pushOptions.keySets.size, mesh.problem(KEYS)]).toEqual([1, 0, "nobody there"]);
    mesh.prepare(snapshot, () => ready++);
    expect(ready).toBe(2);
    pages.set(KEYS, A.jwks);
    clock.advance(1000);
    await settled();
    expect(changed).toEqual([["RequestAuthentication/foo/a"]]);
    expect(mesh.pushOptions.keySets.get(KEYS)).toBe(A.jwks);
  });

  it("go ahead without those that do not come", () => {
    const { clock, snapshot } = meshOf("off", [{ issuer: "a", jwksUri: KEYS }]);
    const fetch = () => new Promise<string>(() => {});
    const mesh = new MeshKeySets({ clock, fetch, remoteKeys: "off", onChange: () => {}, onFetch: () => {} });
    let ready = 0;
    mesh.prepare(snapshot, () => ready++);
    clock.advance(5999);
    expect(ready).toBe(0);
    clock.advance(1);
    expect(ready).toBe(1);
  });

  it("leave to data planes what those fetch themselves", async () => {
    const rules = [{ issuer: "a", jwksUri: KEYS }, { issuer: "https://b" }, { issuer: "c", jwks: A.jwks }];
    for (const [mode, urls] of [
      ["off", [KEYS, "https://b/.well-known/openid-configuration"]],
      ["hybrid", [KEYS, "https://b/.well-known/openid-configuration"]],
      ["envoy", ["https://b/.well-known/openid-configuration"]],
    ] as const) {
      const { mesh, asked, snapshot } = meshOf(mode, rules);
      mesh.prepare(snapshot, () => {});
      await settled();
      expect(asked).toEqual(urls);
    }
  });
});

describe("fetching", () => {
  const server = createServer((request, response) => {
    switch (request.url) {
      case "/keys":
        response.end(A.jwks);
        break;
      case "/moved":
        response.writeHead(302, { location: "/keys" }).end();
        break;
      case "/huge":
        response.end("x".repeat(1024 * 1024 + 1));
        break;
      case "/absent":
        response.writeHead(404).end("no");
        break;
    }
  });
  let url = "";
  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  it("follows redirects, and says why there is nothing", async () => {
    const get = createFetchText(new SystemClock());
    expect(await get(`${url}/keys`, 5000)).toBe(A.jwks);
    expect(await get(`${url}/moved`, 5000)).toBe(A.jwks);
    await expect(get(`${url}/huge`, 5000)).rejects.toThrow("the answer is larger than 1048576 bytes");
    await expect(get(`${url}/absent`, 5000)).rejects.toThrow("the answer is 404");
    await expect(get(`${url}/never`, 50)).rejects.toThrow("no answer within 50 ms");
    await expect(get("http://127.0.0.1:1/", 5000)).rejects.toThrow(/ECONNREFUSED|bad port/);
    await expect(get("nonsense", 5000)).rejects.toThrow(/Invalid URL|nonsense/);
  });
});
