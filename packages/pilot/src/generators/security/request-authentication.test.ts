import { KeySet } from "@mixerless/identity/jwt";
import { TestIssuer } from "@mixerless/identity/testing";
import { toJson, unpackAnyAs } from "@mixerless/wire";
import { JwtAuthenticationSchema } from "@mixerless/wire/envoy/extensions/filters/http/jwt_authn/v3/config";
import { describe, expect, it } from "vitest";
import type { PushContextOptions } from "../../model/create-push-context.ts";
import { type Manifest, object, pod, proxy, pushOf } from "../../model/testing/push-of.ts";
import { NO_KEYS, tokenFilters } from "./request-authentication.ts";
import { tokenFaults } from "./token-faults.ts";

const { jwks } = new TestIssuer("https://a");

function authentication(name: string, jwtRules: readonly object[], more: Manifest = {}): Manifest {
  return object("RequestAuthentication", name, { jwtRules, ...more });
}

/** As much of the message's JSON as is looked into. */
interface Message {
  readonly providers: Readonly<Record<string, Provider>>;
  readonly rules: readonly { readonly match: unknown; readonly requires: unknown }[];
}

interface Provider {
  readonly issuer: string;
  readonly localJwks?: { readonly inlineString: string };
  readonly remoteJwks?: unknown;
  readonly fromHeaders?: unknown;
  readonly clearRouteCache?: boolean;
}

/** Null: no filter. */
function generated(objects: readonly Manifest[], options: PushContextOptions = {}, gateway = false): Message | null {
  const push = pushOf([pod("foo/judged-v1", "10.0.0.2"), ...objects], options);
  const input = { proxy: proxy("foo/judged-v1"), push, telemetry: "native" as const };
  const [filter, ...more] = tokenFilters(input, gateway ? "gateway" : "inbound");
  expect(more).toEqual([]);
  if (filter === undefined) return null;
  expect(filter.name).toBe("envoy.filters.http.jwt_authn");
  const unpacked = unpackAnyAs(filter.config, JwtAuthenticationSchema);
  if (unpacked.faults !== undefined) throw new Error(JSON.stringify(unpacked.faults));
  return toJson(JwtAuthenticationSchema, unpacked.message) as unknown as Message;
}

function messageOf(...args: Parameters<typeof generated>): Message {
  const message = generated(...args);
  if (message === null) throw new Error("there is no filter");
  return message;
}

function providerOf(message: Message, name = "origins-0"): Provider {
  const provider = message.providers[name];
  if (provider === undefined) throw new Error(`there is no ${name}`);
  return provider;
}

const named = (providerName: string) => ({ providerName });
const orMissing = (name: string) => ({ requiresAny: { requirements: [named(name), { allowMissing: {} }] } });

describe("RequestAuthentication as jwt_authn", () => {
  it("of one rule: its token must be valid, none passes", () => {
    expect(messageOf([authentication("foo/a", [{ issuer: "https://a", jwks }])])).toEqual({
      providers: {
        "origins-0": {
          issuer: "https://a",
          localJwks: { inlineString: jwks },
          payloadInMetadata: "payload",
          normalizePayloadInMetadata: { spaceDelimitedClaims: ["permission", "scope"] },
        },
      },
      rules: [{ match: { prefix: "/" }, requires: orMissing("origins-0") }],
      bypassCorsPreflight: true,
    });
  });

  it("of every field", () => {
    const rule = {
      issuer: "https://a",
      jwks,
      audiences: ["x", "y"],
      fromHeaders: [{ name: "x-token", prefix: "Jwt " }, { name: "plain" }],
      fromParams: ["t"],
      fromCookies: ["session"],
      outputPayloadToHeader: "x-payload",
      outputClaimToHeaders: [{ header: "x-role", claim: "a.role" }],
      forwardOriginalToken: true,
      spaceDelimitedClaims: ["roles", "scope"],
    };
    expect(providerOf(messageOf([authentication("foo/a", [rule])]))).toEqual({
      issuer: "https://a",
      audiences: ["x", "y"],
      localJwks: { inlineString: jwks },
      forward: true,
      fromHeaders: [{ name: "x-token", valuePrefix: "Jwt " }, { name: "plain" }],
      fromParams: ["t"],
      fromCookies: ["session"],
      forwardPayloadHeader: "x-payload",
      payloadInMetadata: "payload",
      normalizePayloadInMetadata: { spaceDelimitedClaims: ["permission", "scope", "roles"] },
      claimToHeaders: [{ headerName: "x-role", claimName: "a.role" }],
    });
  });

  it("takes every object that selects the workload, the root namespace's too, sorted by issuer", () => {
    const made = messageOf([
      authentication("foo/second", [
        { issuer: "c", jwks },
        { issuer: "a", jwks },
      ]),
      authentication("istio-system/first", [{ issuer: "b", jwks }]),
      authentication("foo/other", [{ issuer: "x", jwks }], { selector: { matchLabels: { app: "other" } } }),
      authentication("bar/other", [{ issuer: "y", jwks }]),
      authentication("foo/empty", []),
    ]);
    const names = ["origins-0", "origins-1", "origins-2"];
    expect(names.map((name) => providerOf(made, name).issuer)).toEqual(["a", "b", "c"]);
    expect(made.rules[0]?.requires).toEqual({
      requiresAny: { requirements: [...names.map(named), { requiresAll: { requirements: names.map(orMissing) } }] },
    });
  });

  it("is nothing without rules, and for calls that go out", () => {
    expect(generated([])).toBeNull();
    expect(generated([authentication("foo/empty", [])])).toBeNull();
    const push = pushOf([authentication("default/a", [{ issuer: "a", jwks }])]);
    expect(tokenFilters({ proxy: proxy("a-v1"), push, telemetry: "native" }, "outbound")).toEqual([]);
  });

  it("chooses the route anew on gateways, whose routes may ask for claims", () => {
    const made = messageOf([authentication("foo/a", [{ issuer: "a", jwks }])], {}, true);
    expect(providerOf(made).clearRouteCache).toBe(true);
  });
});

describe("keys", () => {
  const URL = "https://keys.example/jwks";
  const rule = { issuer: "https://a/", jwksUri: URL };
  const source = (options: PushContextOptions, one: object = rule, more: readonly Manifest[] = []) => {
    const { localJwks, remoteJwks } = providerOf(messageOf([authentication("foo/a", [one]), ...more], options));
    return remoteJwks ?? localJwks?.inlineString;
  };

  it("that were fetched are written in; until then no token is valid, and nobody can make one that is", () => {
    expect(source({ keySets: new Map([[URL, jwks]]) })).toBe(jwks);
    expect(source({})).toBe(NO_KEYS);
    expect(KeySet.read(NO_KEYS)).toBeInstanceOf(KeySet);
  });

  it("without an address are where OpenID Connect says", () => {
    const discovery = "https://a/.well-known/openid-configuration";
    expect(source({ keySets: new Map([[discovery, jwks]]) }, { issuer: "https://a/" })).toBe(jwks);
    expect(source({ keySets: new Map([[URL, jwks]]) }, { issuer: "https://a/" })).toBe(NO_KEYS);
  });

  it("that no data plane could use are replaced, and told", () => {
    expect(source({}, { issuer: "a", jwks: '{"keys":[{"kty":"x"}]}' })).toBe(NO_KEYS);
  });

  const entry = object("ServiceEntry", "foo/keys", {
    hosts: ["keys.example"],
    ports: [{ number: 443, name: "https", protocol: "HTTPS" }],
    resolution: "DNS",
    location: "MESH_EXTERNAL",
  });
  const remote = {
    httpUri: { uri: URL, cluster: "outbound|443||keys.example", timeout: "2s" },
    cacheDuration: "300s",
  };

  it("are fetched by data planes where they may and see the host", () => {
    const one = { ...rule, timeout: "2s" };
    const keySets = new Map([[URL, jwks]]);
    expect(source({ keySets, remoteKeys: "hybrid" }, one, [entry])).toEqual(remote);
    expect(source({ keySets, remoteKeys: "envoy" }, one)).toEqual(remote);
    expect(source({ keySets, remoteKeys: "hybrid" }, one)).toBe(jwks);
    expect(source({ keySets }, one, [entry])).toBe(jwks);
  });
});

describe("what cannot be had", () => {
  const faultsOf = (rules: readonly object[], options: PushContextOptions = {}, problem: string | null = null) =>
    tokenFaults(pushOf([authentication("foo/a", rules)], options), () => problem).map(
      ({ object, path, message, code }) => `${code} ${object} ${path}: ${message}`,
    );

  it("is told by object, field and reason", () => {
    expect(faultsOf([{ issuer: "a", jwks }])).toEqual([]);
    expect(faultsOf([{ issuer: "a", jwks: '{"keys":[]}' }])).toEqual([
      "no-key-set RequestAuthentication foo/a spec.jwtRules[0].jwks: No token can be verified: it holds no usable " +
        "public key. Every token of this issuer is refused.",
    ]);
    const away = [{ issuer: "a", jwksUri: "http://k" }];
    expect(faultsOf(away)).toEqual([]);
    expect(faultsOf(away, {}, "timeout")[0]).toContain("jwksUri: The keys behind http://k cannot be had: timeout.");
    expect(faultsOf(away, { keySets: new Map([["http://k", jwks]]) }, "timeout")[0]).toContain("stay in use");
    expect(faultsOf([{ issuer: "https://i" }], {}, "404")[0]).toContain("spec.jwtRules[0].issuer: The keys behind");
  });

  it("includes headers that cannot be: they are left out, and the listener lives", () => {
    const rule = { issuer: "a", jwks, fromHeaders: [{ name: "a b" }, { name: "x" }], outputPayloadToHeader: "ä" };
    expect(providerOf(messageOf([authentication("foo/a", [rule])])).fromHeaders).toEqual([{ name: "x" }]);
    expect(faultsOf([rule]).map((fault) => fault.split(":")[0])).toEqual([
      "no-header-name RequestAuthentication foo/a spec.jwtRules[0].fromHeaders[0].name",
      "no-header-name RequestAuthentication foo/a spec.jwtRules[0].outputPayloadToHeader",
    ]);
  });
});
