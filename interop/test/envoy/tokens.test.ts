import { createHmac } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type IncomingHttpHeaders, request, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { TestIssuer } from "@mixerless/identity/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findProgram, freePort, titled } from "../peers.ts";
import { startEmbedded } from "./embedded-proxy.ts";
import { EnvoyServer } from "./envoy-server.ts";

const program = findProgram("envoy");
const without = [program === null && "no envoy, npm run interop:setup installs it"];
const HTTP = "type.googleapis.com/envoy.extensions.filters.http";
const JWT = "envoy.filters.http.jwt_authn";

const A = new TestIssuer("https://a");
const B = new TestIssuer("https://b");
const FORGER = new TestIssuer("https://a");
const STRANGER = new TestIssuer("https://c");
const NOW = Math.floor(Date.now() / 1000);

const provider = (issuer: TestIssuer, more: object = {}) => ({
  issuer: issuer.issuer,
  local_jwks: { inline_string: issuer.jwks },
  payload_in_metadata: "payload",
  ...more,
});
const named = (provider_name: string) => ({ provider_name });
const any = (...requirements: object[]) => ({ requires_any: { requirements } });
const all = (...requirements: object[]) => ({ requires_all: { requirements } });
const MISSING = { allow_missing: {} };
const [NEEDS_A, NEEDS_B] = [named("a"), named("b")];

/** Filters to be asked, by name. */
const FILTERS: Readonly<
  Record<string, { readonly providers?: object; readonly requires: object; readonly more?: object }>
> = {
  a: { requires: NEEDS_A },
  "a or missing": { requires: any(NEEDS_A, MISSING) },
  "any of two": { requires: any(NEEDS_A, NEEDS_B) },
  "two as pilot writes it": { requires: any(NEEDS_A, NEEDS_B, all(any(NEEDS_A, MISSING), any(NEEDS_B, MISSING))) },
  "both, in places of their own": {
    providers: {
      a: provider(A, { from_headers: [{ name: "x-a" }] }),
      b: provider(B, { from_headers: [{ name: "x-b", value_prefix: "T " }], from_params: ["t"], from_cookies: ["c"] }),
    },
    requires: all(NEEDS_A, NEEDS_B),
  },
  missing: { requires: MISSING },
  failed: { requires: { allow_missing_or_failed: {} } },
  audiences: { providers: { a: provider(A, { audiences: ["https://shop/", "bank"] }) }, requires: NEEDS_A },
  strict: {
    providers: { a: provider(A, { clock_skew_seconds: 1, subjects: { prefix: "a" } }) },
    requires: NEEDS_A,
  },
  output: {
    providers: {
      a: provider(A, {
        forward: true,
        forward_payload_header: "x-payload",
        claim_to_headers: [
          { header_name: "x-sub", claim_name: "sub" },
          { header_name: "x-n", claim_name: "n" },
          { header_name: "x-yes", claim_name: "yes" },
          { header_name: "x-deep", claim_name: "deep.list" },
          { header_name: "x-none", claim_name: "none" },
        ],
        normalize_payload_in_metadata: { space_delimited_claims: ["scope"] },
      }),
    },
    requires: any(NEEDS_A, MISSING),
  },
  "keys that cannot be had": {
    providers: {
      a: {
        issuer: A.issuer,
        remote_jwks: { http_uri: { uri: "http://keys/jwks", cluster: "nowhere", timeout: "1s" } },
      },
    },
    requires: NEEDS_A,
  },
  stripped: { requires: NEEDS_A, more: { strip_failure_response: true } },
  preflight: { requires: NEEDS_A, more: { bypass_cors_preflight: true } },
};

interface Case {
  readonly filter: string;
  readonly name: string;
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string | string[]>>;
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const hs256 = (() => {
  const encoded = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const signed = `${encoded({ alg: "HS256", kid: "key-1" })}.${encoded({ iss: "https://a" })}`;
  return `${signed}.${createHmac("sha256", JSON.stringify(A.jwk)).update(signed).digest("base64url")}`;
})();
const raw = (header: string, payload: string, signature = "AAAA") =>
  [header, payload]
    .map((part) => Buffer.from(part).toString("base64url"))
    .concat(signature)
    .join(".");
const HEAD = '{"alg":"ES256"}';

const TOKENS: Readonly<Record<string, string>> = {
  valid: A.token(),
  "of b": B.token(),
  forged: FORGER.token(),
  "of a stranger": STRANGER.token(),
  "alg none": A.token({}, { alg: "none" }),
  "alg none, unsigned": A.token({}, { alg: "none" }).replace(/[^.]*$/, ""),
  "key confusion": hs256,
  "unknown kid": A.token({}, { kid: "x" }),
  "no kid": A.token({}, { kid: undefined }),
  "kid is a number": A.token({}, { kid: 5 }),
  "unknown alg": A.token({}, { alg: "ES256K" }),
  "another alg": A.token({}, { alg: "ES384" }),
  "alg in lower case": A.token({}, { alg: "es256" }),
  critical: A.token({}, { crit: ["x"] }),
  expired: A.token({ exp: NOW - 120 }),
  "expired a moment ago": A.token({ exp: NOW - 30 }),
  "not yet valid": A.token({ nbf: NOW + 120 }),
  "valid in a moment": A.token({ nbf: NOW + 30 }),
  "exp is text": A.token({ exp: "x" }),
  "exp is a fraction": A.token({ exp: NOW + 100.5 }),
  "exp is negative": A.token({ exp: -1 }),
  "exp is 0": A.token({ exp: 0 }),
  "exp is null": A.token({ exp: null }),
  "iss is a number": A.token({ iss: 5 }),
  "sub is a list": A.token({ sub: ["x"] }),
  "aud is a number": A.token({ aud: 5 }),
  "jti is a number": A.token({ jti: 5 }),
  "iat is text": A.token({ iat: "x" }),
  "no issuer": A.token({ iss: undefined }),
  "no dots": "abc",
  "one dot": "a.b",
  "three dots": "a.b.c.d",
  "empty parts": "..",
  "header is no base64": "a+b.e30.AAAA",
  "header is no JSON": raw("{", "{}"),
  "header is a list": raw("[]", "{}"),
  "header without alg": raw("{}", "{}"),
  "alg is a number": raw('{"alg":5}', "{}"),
  "payload is no base64": `${Buffer.from(HEAD).toString("base64url")}.a+b.AAAA`,
  "payload is no JSON": raw(HEAD, "x"),
  "payload is null": raw(HEAD, "null"),
  "signature is no base64": raw(HEAD, '{"iss":"https://a"}', "A+"),
  "signature is short": raw(HEAD, '{"iss":"https://a"}', "AAAA"),
  empty: "",
};

const CASES: readonly Case[] = [
  ...Object.entries(TOKENS).map(([name, token]) => ({ filter: "a", name, headers: bearer(token) })),
  ...["a or missing", "any of two", "two as pilot writes it", "missing", "failed"].flatMap((filter) => [
    { filter, name: "none" },
    ...["valid", "of b", "forged", "of a stranger", "no dots"].map((name) => ({
      filter,
      name,
      headers: bearer(TOKENS[name] ?? ""),
    })),
  ]),
  { filter: "a", name: "none" },
  { filter: "a", name: "Basic", headers: { authorization: "Basic abc" } },
  { filter: "a", name: "bearer in lower case", headers: { authorization: `bearer ${A.token()}` } },
  { filter: "a", name: "in a parameter", path: `/x?a=1&access_token=${A.token()}&b=2` },
  { filter: "a", name: "a bad one in a parameter", path: "/x?access_token=a.b" },
  { filter: "a", name: "good header, bad parameter", path: "/x?access_token=a.b", headers: bearer(A.token()) },
  { filter: "a", name: "two subjects", path: `/x?access_token=${A.token({ sub: "eve" })}`, headers: bearer(A.token()) },
  { filter: "a", name: "text around", headers: { authorization: `x Bearer ${A.token()} y` } },
  ...["both, in places of their own"].flatMap((filter) => [
    { filter, name: "both in headers", headers: { "x-a": A.token(), "x-b": `T ${B.token()}` } },
    { filter, name: "one in a parameter", headers: { "x-a": A.token() }, path: `/?t=${B.token()}&u` },
    { filter, name: "one in a cookie", headers: { "x-a": A.token(), cookie: `x=y; c=${B.token()}` } },
    { filter, name: "only one", headers: { "x-a": A.token() } },
    { filter, name: "without its prefix", headers: { "x-a": A.token(), "x-b": B.token() } },
    { filter, name: "changed places", headers: { "x-a": B.token(), "x-b": `T ${A.token()}` } },
    { filter, name: "in the usual place", headers: bearer(A.token()) },
  ]),
  { filter: "audiences", name: "none", headers: bearer(A.token()) },
  { filter: "audiences", name: "one", headers: bearer(A.token({ aud: "http://shop" })) },
  { filter: "audiences", name: "of several", headers: bearer(A.token({ aud: ["x", "bank/"] })) },
  { filter: "audiences", name: "another", headers: bearer(A.token({ aud: "shops" })) },
  { filter: "strict", name: "expired a moment ago", headers: bearer(A.token({ exp: NOW - 30 })) },
  { filter: "strict", name: "another subject", headers: bearer(A.token({ sub: "bob" })) },
  { filter: "strict", name: "the subject", headers: bearer(A.token()) },
  {
    filter: "output",
    name: "claims",
    headers: {
      ...bearer(A.token({ n: 7, yes: true, deep: { list: [1, "x"] }, scope: "read write", other: "a b" })),
      "x-sub": "forged",
      "x-none": "forged",
    },
  },
  { filter: "output", name: "numbers", headers: bearer(A.token({ n: 1.5 })) },
  { filter: "output", name: "forged headers without a token", headers: { "x-sub": "forged", "x-payload": "forged" } },
  { filter: "keys that cannot be had", name: "valid", headers: bearer(A.token()) },
  { filter: "keys that cannot be had", name: "expired", headers: bearer(A.token({ exp: 1 })) },
  { filter: "stripped", name: "none" },
  { filter: "stripped", name: "forged", headers: bearer(FORGER.token()) },
  {
    filter: "preflight",
    name: "a preflight",
    method: "OPTIONS",
    headers: { origin: "https://x", "access-control-request-method": "GET" },
  },
  { filter: "preflight", name: "an OPTIONS that is none", method: "OPTIONS" },
];

const refused = (text: string, more: Partial<Seen> = {}): Partial<Seen> => ({
  status: 401,
  body: text,
  challenge: 'Bearer realm="http://shop/", error="invalid_token"',
  details: `jwt_authn_access_denied{${text.replaceAll(" ", "_")}}`,
  noted: null,
  passed: null,
  ...more,
});

/** Where the embedded proxy differs on purpose, and in what (decision 15). */
const OURS: Readonly<Record<string, Partial<Seen>>> = {
  "a: critical": refused("Jwt header [crit] names extensions that are not supported"),
  // Envoy takes 0 for no end at all.
  "a: exp is 0": refused("Jwt is expired"),
  "a: payload is null": refused("Jwt payload is an invalid JSON"),
  // A token in the query is no part of the challenge.
  "a: a bad one in a parameter": { challenge: 'Bearer realm="http://shop/x", error="invalid_token"' },
  "a: good header, bad parameter": { challenge: 'Bearer realm="http://shop/x", error="invalid_token"' },
  // The other parameters stay as they were written; Envoy writes "u=".
  "both, in places of their own: one in a parameter": { passed: { url: "/?u" } },
};

/** What client, log and application see. */
interface Seen {
  readonly status: number;
  readonly body: string;
  readonly challenge: string | null;
  readonly details: string;
  readonly noted: unknown;
  /** Target and headers of ours; null where nothing arrived. */
  readonly passed: object | null;
}

describe.skipIf(without.some(Boolean))(titled("tokens", without), () => {
  let folder: string;
  let origin: Server;
  const arrived: { url: string; headers: IncomingHttpHeaders }[] = [];
  const stops: (() => Promise<void>)[] = [];
  const ports: Record<string, Record<string, number>> = {};

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "mixerless-tokens-"));
    origin = createServer(({ url = "", headers }, response) => {
      arrived.push({ url, headers });
      response.end("passed");
    });
    await new Promise<void>((resolve) => origin.listen(0, "127.0.0.1", resolve));
    for (const name of ["envoy", "ours"] as const) {
      const own: Record<string, number> = {};
      for (const filter of Object.keys(FILTERS)) own[filter] = await freePort();
      ports[name] = own;
      const admin = await freePort();
      const config = bootstrap(own, (origin.address() as AddressInfo).port, admin, join(folder, `${name}.log`));
      if (name === "ours") {
        const proxy = await startEmbedded(config);
        stops.push(() => proxy.close());
        continue;
      }
      const file = join(folder, "envoy.json");
      await writeFile(file, JSON.stringify(config));
      const flags = ["--file-flush-interval-msec", "20"];
      const envoy = await EnvoyServer.start(program ?? "", file, `http://127.0.0.1:${admin}`, flags);
      stops.push(() => envoy.stop());
    }
  });

  afterAll(async () => {
    for (const stop of stops) await stop();
    origin?.close();
    await rm(folder, { recursive: true, force: true });
  });

  let ids = 0;

  async function ask(
    name: "envoy" | "ours",
    { filter, method = "GET", path = "/", headers = {} }: Case,
  ): Promise<Seen> {
    arrived.length = 0;
    const id = `id-${++ids}`;
    const answer = await new Promise<{ status: number; challenge: string | null; body: string }>((resolve, reject) => {
      const call = request(
        {
          host: "127.0.0.1",
          port: ports[name]?.[filter],
          method,
          path,
          headers: { ...headers, host: "shop", "x-id": id },
        },
        (response) => {
          let body = "";
          response.setEncoding("latin1").on("data", (piece) => {
            body += piece;
          });
          const challenge = response.headers["www-authenticate"] ?? null;
          response.on("end", () => resolve({ status: response.statusCode ?? 0, challenge, body }));
        },
      );
      call.on("error", reject);
      call.end();
    });
    const [, details = "", noted = ""] = await logged(name, id);
    const [came] = arrived;
    const own = ["authorization", "cookie", "x-a", "x-b", "x-payload", "x-sub", "x-n", "x-yes", "x-deep", "x-none"];
    return {
      ...answer,
      details,
      noted: JSON.parse(noted === "-" ? "null" : noted) as unknown,
      passed:
        came === undefined
          ? null
          : {
              url: came.url,
              ...Object.fromEntries(own.flatMap((key) => (key in came.headers ? [[key, came.headers[key]]] : []))),
            },
    };
  }

  async function logged(name: string, id: string): Promise<string[]> {
    for (;;) {
      const text = await readFile(join(folder, `${name}.log`), "utf8").catch(() => "");
      const line = text.split("\n").find((entry) => entry.startsWith(`${id}\t`));
      if (line !== undefined) return line.split("\t");
      await new Promise((wake) => setTimeout(wake, 20));
    }
  }

  it.each(CASES)("$filter: $name, as Envoy", async (entry) => {
    const expected = { ...(await ask("envoy", entry)), ...OURS[`${entry.filter}: ${entry.name}`] };
    expect(await ask("ours", entry)).toEqual(expected);
  });
});

function bootstrap(ports: Readonly<Record<string, number>>, origin: number, admin: number, log: string): object {
  const address = (port: number) => ({ socket_address: { address: "127.0.0.1", port_value: port } });
  const listener = (name: string) => {
    const { providers = { a: provider(A), b: provider(B) }, requires, more } = FILTERS[name] ?? { requires: {} };
    const jwt = {
      "@type": `${HTTP}.jwt_authn.v3.JwtAuthentication`,
      providers,
      rules: [{ match: { prefix: "/" }, requires }],
      ...more,
    };
    const manager = {
      "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
      stat_prefix: "tokens",
      route_config: {
        name: "local_route",
        virtual_hosts: [
          { name: "all", domains: ["*"], routes: [{ match: { prefix: "/" }, route: { cluster: "origin" } }] },
        ],
      },
      http_filters: [
        { name: JWT, typed_config: jwt },
        { name: "envoy.filters.http.router", typed_config: { "@type": `${HTTP}.router.v3.Router` } },
      ],
      access_log: [
        {
          name: "envoy.access_loggers.file",
          typed_config: {
            "@type": "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog",
            path: log,
            log_format: {
              text_format_source: {
                inline_string: `%REQ(X-ID)%\t%RESPONSE_CODE_DETAILS%\t%DYNAMIC_METADATA(${JWT})%\n`,
              },
            },
          },
        },
      ],
    };
    const filters = [{ name: "envoy.filters.network.http_connection_manager", typed_config: manager }];
    return { name, address: address(ports[name] ?? 0), filter_chains: [{ filters }] };
  };
  const cluster = (name: string, port: number) => ({
    name,
    type: "STATIC",
    connect_timeout: "1s",
    load_assignment: { cluster_name: name, endpoints: [{ lb_endpoints: [{ endpoint: { address: address(port) } }] }] },
  });
  return {
    node: { id: "tokens", cluster: "tokens" },
    admin: { address: address(admin) },
    static_resources: {
      listeners: Object.keys(ports).map(listener),
      clusters: [cluster("origin", origin), cluster("nowhere", 1)],
    },
  };
}
