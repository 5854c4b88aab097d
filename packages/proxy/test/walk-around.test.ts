import { VirtualClock } from "@mixerless/clock";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { APPLICATION, type Mode } from "../src/http/connection-manager/testing/lenient-application.ts";
import { RawClient } from "./raw-client.ts";
import { RawOrigin } from "./raw-origin.ts";
import { WholeProxy } from "./whole-proxy.ts";

const RBAC = "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC";
const ROUTER = "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router";

/** As pilot writes `pathNormalization` of the mesh. */
const MODES: Readonly<Record<Mode, object>> = {
  NONE: { normalizePath: false },
  BASE: { normalizePath: true },
  MERGE_SLASHES: { normalizePath: true, mergeSlashes: true },
  DECODE_AND_MERGE_SLASHES: {
    normalizePath: true,
    mergeSlashes: true,
    pathWithEscapedSlashesAction: "UNESCAPE_AND_FORWARD",
  },
};

/**
 * Targets as they stand in the request line, and what a DENY of /admin* and an ALLOW of /public* say to them under NONE,
 * BASE, MERGE_SLASHES and DECODE_AND_MERGE_SLASHES: + passes, - is refused by the policy, x is no request at all.
 */
const TARGETS: readonly (readonly [target: string, verdicts: string])[] = [
  ["/admin", "-- -- -- --"],
  ["/public", "++ ++ ++ ++"],
  ["/admin/", "-- -- -- --"],
  ["/admin?x", "-- -- -- --"],
  ["//admin", "+- +- -- --"],
  ["/./admin", "+- -- -- --"],
  ["/public/../admin", "++ -- -- --"],
  ["/public/..//admin", "++ +- -- --"],
  ["/public//../admin", "++ ++ ++ ++"],
  ["/public/%2e%2e/admin", "++ -- -- --"],
  ["/public/.%2E/admin", "++ -- -- --"],
  ["/%61dmin", "+- -- -- --"],
  ["/%2561dmin", "+- +- +- +-"],
  ["/public%2f..%2fadmin", "++ ++ ++ --"],
  ["/public/..%2fadmin", "++ ++ ++ --"],
  ["/public%5c..%5cadmin", "++ ++ ++ --"],
  ["/%2fadmin", "+- +- +- --"],
  ["/%5cadmin", "+- +- +- --"],
  ["/public\\..\\admin", "++ -- -- --"],
  ["\\admin", "xx xx xx xx"],
  ["/ADMIN", "+- +- +- +-"],
  ["/admin.", "-- -- -- --"],
  ["/admin;x=1", "-- -- -- --"],
  ["/;x/admin", "+- +- +- +-"],
  ["/public;/../admin", "++ -- -- --"],
  ["/public/%c0%ae%c0%ae/admin", "++ ++ ++ ++"],
  ["/public/%c0%af../admin", "++ ++ ++ ++"],
  ["/public/%ef%bc%8e%ef%bc%8e/admin", "++ ++ ++ ++"],
  ["/%EF%BC%8Fadmin", "+- +- +- +-"],
  ["/public/..;/admin", "++ -- -- --"],
  ["/public/%2e%2e;x/admin", "++ -- -- --"],
  ["/admin%00", "-- xx xx xx"],
  ["/%00/admin", "+- xx xx xx"],
  ["/admin#x", "xx xx xx xx"],
  ["/x#/../admin", "xx xx xx xx"],
  ["/public/%23/../admin", "++ ++ ++ ++"],
  ["/public/...//admin", "++ ++ ++ ++"],
  ["/public/../../admin", "++ -- -- --"],
  ["/..%2f..%2fadmin", "+- +- +- --"],
  ["*", "xx xx xx xx"],
  ["admin", "xx xx xx xx"],
  ["", "xx xx xx xx"],
  ["http://shop.example/admin", "-- -- -- --"],
  ["http://shop.example//admin", "+- +- -- --"],
  ["http://shop.example/public/../admin", "++ -- -- --"],
  ["http://shop.example", "+- +- +- +-"],
  ["HTTP://shop.example/admin", "-- -- -- --"],
  ["https://shop.example/admin", "-- -- -- --"],
  ["//shop.example/admin", "+- +- +- +-"],
  ["/public/%2e%2e%2fadmin", "++ ++ ++ --"],
  ["/admin%20", "-- -- -- --"],
  ["/public/.%00./admin", "++ xx xx xx"],
  ["/public/À®/admin", "xx xx xx xx"],
  ["/%u0061dmin", "+- +- +- +-"],
  ["/public/%", "++ ++ ++ ++"],
  ["/public/%zz/../admin", "++ ++ ++ ++"],
  // Rests of escapes that would make up others, were they unescaped carelessly.
  ["/public/%2%65%2%65/admin", "++ ++ ++ ++"],
  ["/public/..%2%66admin", "++ ++ ++ ++"],
  ["/%%36%31dmin", "+- +- +- +-"],
];

const HEAD = (target: string, host = "shop.example") =>
  `GET ${target} HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\n\r\n`;

const SIGNS: Readonly<Record<number, string>> = { 200: "+", 403: "-", 400: "x", 404: "x", 426: "x" };

async function answeringOrigin(): Promise<RawOrigin> {
  const origin = await RawOrigin.listen();
  origin.onData = (connection) => connection.send("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
  return origin;
}

function guarded(
  origin: RawOrigin,
  action: "DENY" | "ALLOW",
  permission: object,
  normalization: object,
): Promise<WholeProxy> {
  const policy = { permissions: [permission], principals: [{ any: true }] };
  const rbac = { "@type": RBAC, rules: { action, policies: { p: policy } } };
  const httpFilters = [
    { name: "envoy.filters.http.rbac", typedConfig: rbac },
    { name: "router", typedConfig: { "@type": ROUTER } },
  ];
  const manager = { ...normalization, httpFilters };
  return WholeProxy.start({ originPort: origin.port, clock: new VirtualClock(), manager });
}

interface Answer {
  readonly status: number;
  /** The target and the host that the application saw; null where nothing came to it. */
  readonly seen: string | null;
  readonly host: string | null;
}

async function ask(origin: RawOrigin, proxy: WholeProxy, head: string): Promise<Answer> {
  origin.reset();
  const client = await RawClient.connect(proxy.port);
  client.send(head);
  const status = Number((await client.toEnd()).split(" ")[1]);
  client.close();
  const lines = origin.connections[0]?.received.split("\r\n") ?? [];
  const seen = lines[0]?.split(" ").slice(1, -1).join(" ") ?? null;
  return {
    status,
    seen,
    host:
      lines
        .find((line) => line.startsWith("host:"))
        ?.slice(5)
        .trim() ?? null,
  };
}

function pathOf(target: string): string {
  return target.split("?")[0] ?? "";
}

describe.each(Object.keys(MODES) as Mode[])("with path normalization %s", (mode) => {
  let origin: RawOrigin;
  let proxies: { deny: WholeProxy; allow: WholeProxy };

  beforeAll(async () => {
    origin = await answeringOrigin();
    const path = (prefix: string) => ({ urlPath: { path: { prefix } } });
    proxies = {
      deny: await guarded(origin, "DENY", path("/admin"), MODES[mode]),
      allow: await guarded(origin, "ALLOW", path("/public"), MODES[mode]),
    };
  });

  afterAll(async () => {
    await proxies.deny.close();
    await proxies.allow.close();
    origin.close();
  });

  const place = Object.keys(MODES).indexOf(mode);

  it.each(TARGETS)("%s", async (target, verdicts) => {
    const [wanted = ""] = verdicts.split(" ").slice(place);
    const denied = await ask(origin, proxies.deny, HEAD(target));
    const allowed = await ask(origin, proxies.allow, HEAD(target));
    expect([denied, allowed].map(({ status }) => SIGNS[status]).join("")).toBe(wanted);
    // Whatever passed, the application finds nothing else in it than the policy did.
    if (denied.seen !== null) expect(APPLICATION[mode](pathOf(denied.seen))).not.toMatch(/^\/admin/);
    if (allowed.seen !== null) expect(APPLICATION[mode](pathOf(allowed.seen))).toMatch(/^\/public/);
  });
});

/**
 * Heads of requests, and what a DENY and an ALLOW of the host shop.example say. A host with a port or a dot at its end is
 * another one, as for Istio: who names hosts in DENY rules has to name those as well, or to allow instead.
 */
const HEADS: readonly (readonly [what: string, head: string, verdict: string])[] = [
  ["as it is", "GET / HTTP/1.1\r\nhost: shop.example", "-+"],
  ["in another case", "GET / HTTP/1.1\r\nHOST: Shop.EXAMPLE", "-+"],
  ["with spaces around", "GET / HTTP/1.1\r\nhost: \t shop.example \t", "-+"],
  ["with a port", "GET / HTTP/1.1\r\nhost: shop.example:80", "+-"],
  ["with a dot at the end", "GET / HTTP/1.1\r\nhost: shop.example.", "+-"],
  ["in the target, against the header", "GET http://shop.example/ HTTP/1.1\r\nhost: other", "-+"],
  ["in the header, against the target", "GET http://other/ HTTP/1.1\r\nhost: shop.example", "+-"],
  ["in the target, with a name before it", "GET http://other@shop.example/ HTTP/1.1\r\nhost: other", "xx"],
  ["twice", "GET / HTTP/1.1\r\nhost: other\r\nhost: shop.example", "xx"],
  ["twice, the same", "GET / HTTP/1.1\r\nhost: shop.example\r\nhost: shop.example", "xx"],
  ["in a list", "GET / HTTP/1.1\r\nhost: other, shop.example", "xx"],
  ["with a name before it", "GET / HTTP/1.1\r\nhost: other@shop.example", "xx"],
  ["with a path", "GET / HTTP/1.1\r\nhost: shop.example/x", "xx"],
  ["on a folded line", "GET / HTTP/1.1\r\nhost: other\r\n shop.example", "xx"],
  ["empty", "GET / HTTP/1.1\r\nhost:", "xx"],
  ["not at all", "GET / HTTP/1.1\r\nx: y", "xx"],
  ["in another header", "GET / HTTP/1.1\r\nhost: other\r\nx-forwarded-host: shop.example", "+-"],
  ["with a space before the colon", "GET / HTTP/1.1\r\nhost: other\r\nhost : shop.example", "xx"],
  ["of HTTP/1.0, in the target", "GET http://shop.example/ HTTP/1.0\r\nhost: other", "xx"],
];

describe("hosts", () => {
  let origin: RawOrigin;
  let proxies: { deny: WholeProxy; allow: WholeProxy };

  beforeAll(async () => {
    origin = await answeringOrigin();
    const header = { name: ":authority", stringMatch: { exact: "shop.example", ignoreCase: true } };
    proxies = {
      deny: await guarded(origin, "DENY", { header }, MODES.BASE),
      allow: await guarded(origin, "ALLOW", { header }, MODES.BASE),
    };
  });

  afterAll(async () => {
    await proxies.deny.close();
    await proxies.allow.close();
    origin.close();
  });

  it.each(HEADS)("%s", async (_what, lines, verdict) => {
    const head = `${lines}\r\nconnection: close\r\n\r\n`;
    const denied = await ask(origin, proxies.deny, head);
    const allowed = await ask(origin, proxies.allow, head);
    expect([denied, allowed].map(({ status }) => SIGNS[status]).join("")).toBe(verdict);
    // The application is told the host that was judged.
    if (denied.seen !== null) expect(denied.host).not.toMatch(/^shop\.example$/i);
    if (allowed.seen !== null) expect(allowed.host).toMatch(/^shop\.example$/i);
  });
});
