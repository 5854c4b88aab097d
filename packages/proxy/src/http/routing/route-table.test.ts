import { VirtualClock } from "@mixerless/clock";
import { decodeJson } from "@mixerless/wire";
import { RouteConfigurationSchema } from "@mixerless/wire/envoy/config/route/v3/route";
import { describe, expect, it } from "vitest";
import { headersOf } from "../testing/fake-server-codec.ts";
import { compileRoutes, routesTo } from "../testing/test-proxy.ts";
import { compileRouteTable, type RouteTable } from "./route-table.ts";

const half = () => 0.5;

/** The cluster that a request gets; null without route. */
function route(table: RouteTable, path: string, fields: Record<string, string> = {}, random = half): string | null {
  const headers = headersOf({ ":method": "GET", ":path": path, ":authority": "any", ...fields });
  return table.match(headers, random)?.cluster ?? null;
}

function hosts(...list: [string, string[]][]): RouteTable {
  return compileRoutes({
    virtualHosts: list.map(([name, domains]) => ({
      name,
      domains,
      routes: [{ match: { prefix: "/" }, route: { cluster: name } }],
    })),
  });
}

function host(table: RouteTable, authority: string): string | null {
  return route(table, "/", { ":authority": authority });
}

function matches(match: object, path: string, fields: Record<string, string> = {}): boolean {
  return route(compileRoutes(routesTo([{ match, route: { cluster: "c" } }])), path, fields) === "c";
}

function faults(json: object): string[] {
  const decoded = decodeJson(RouteConfigurationSchema, json);
  if (decoded.faults !== undefined) throw new Error(decoded.faults.map((fault) => fault.message).join());
  const table = compileRouteTable(decoded.message, new VirtualClock());
  return table.ok ? [] : table.faults.map((fault) => fault.path);
}

describe("virtual host choice", () => {
  it("takes the exact domain, then the longest suffix, then the longest prefix, then the rest", () => {
    const table = hosts(
      ["rest", ["*"]],
      ["exact", ["www.example.org"]],
      ["suffix", ["*.example.org"]],
      ["longer", ["*.hello.example.org"]],
      ["prefix", ["www.*"]],
    );
    expect(host(table, "www.example.org")).toBe("exact");
    expect(host(table, "a.example.org")).toBe("suffix");
    expect(host(table, "goodbye.hello.example.org")).toBe("longer");
    expect(host(table, "www.other.net")).toBe("prefix");
    expect(host(table, "other.net")).toBe("rest");
  });

  it("lets a wildcard stand for at least one character", () => {
    expect(host(hosts(["suffix", ["*.example.org"]]), ".example.org")).toBeNull();
  });

  it("does not look at case", () => {
    const table = hosts(["a", ["Reviews.Default"]], ["b", ["*.Example.org"]]);
    expect(host(table, "reviews.DEFAULT")).toBe("a");
    expect(host(table, "X.EXAMPLE.ORG")).toBe("b");
  });

  it("compares the port, unless it is to be ignored", () => {
    const json = {
      virtualHosts: [
        { name: "v", domains: ["reviews"], routes: [{ match: { prefix: "/" }, route: { cluster: "c" } }] },
      ],
    };
    expect(host(compileRoutes(json), "reviews:9080")).toBeNull();
    expect(host(compileRoutes({ ...json, ignorePortInHostMatching: true }), "reviews:9080")).toBe("c");
  });

  it("finds bracketed IPv6 addresses with the port ignored", () => {
    const json = {
      ignorePortInHostMatching: true,
      virtualHosts: [{ name: "v", domains: ["[::1]"], routes: [{ match: { prefix: "/" }, route: { cluster: "c" } }] }],
    };
    expect(host(compileRoutes(json), "[::1]:80")).toBe("c");
    expect(host(compileRoutes(json), "[::1]")).toBe("c");
  });

  it("refuses a domain that two virtual hosts claim", () => {
    const entry = (name: string) => ({ name, domains: ["Same", `other-${name}`], routes: [] });
    expect(faults({ virtualHosts: [entry("a"), { ...entry("b"), domains: ["x", "same"] }] })).toEqual([
      "virtualHosts[1].domains[1]",
    ]);
  });
});

describe("path match", () => {
  it("by prefix looks at the beginning, the query not needed", () => {
    expect(matches({ prefix: "/api" }, "/apix?y")).toBe(true);
    expect(matches({ prefix: "/api" }, "/ap")).toBe(false);
  });

  it("by exact path leaves the query out", () => {
    expect(matches({ path: "/a" }, "/a?b=c")).toBe(true);
    expect(matches({ path: "/a" }, "/a/")).toBe(false);
  });

  it("by path-separated prefix ends at a slash, the query or the end", () => {
    expect(matches({ pathSeparatedPrefix: "/v1" }, "/v1")).toBe(true);
    expect(matches({ pathSeparatedPrefix: "/v1" }, "/v1/x")).toBe(true);
    expect(matches({ pathSeparatedPrefix: "/v1" }, "/v1?q")).toBe(true);
    expect(matches({ pathSeparatedPrefix: "/v1" }, "/v12")).toBe(false);
  });

  it("by pattern needs all of the path without the query", () => {
    const match = { safeRegex: { regex: "/[a-c]+/\\d" } };
    expect(matches(match, "/abc/1?x=y")).toBe(true);
    expect(matches(match, "/abc/12")).toBe(false);
    expect(matches(match, "/x/abc/1")).toBe(false);
  });

  it("keeps linear time for patterns that other engines choke on", () => {
    expect(matches({ safeRegex: { regex: "/(a+)+" } }, `/${"a".repeat(5000)}!`)).toBe(false);
  });

  it("ignores case when told so", () => {
    expect(matches({ prefix: "/API", caseSensitive: false }, "/api/x")).toBe(true);
    expect(matches({ path: "/API", caseSensitive: false }, "/Api?Q")).toBe(true);
    expect(matches({ prefix: "/API" }, "/api")).toBe(false);
  });
});

describe("header match", () => {
  const one = (matcher: object) => ({ prefix: "/", headers: [{ name: "end-user", ...matcher }] });

  it.each([
    [{ stringMatch: { exact: "jason" } }, "jason", true],
    [{ stringMatch: { exact: "jason" } }, "json", false],
    [{ stringMatch: { prefix: "ja" } }, "jason", true],
    [{ stringMatch: { suffix: "on" } }, "jason", true],
    [{ stringMatch: { contains: "as" } }, "jason", true],
    [{ stringMatch: { exact: "JASON", ignoreCase: true } }, "jason", true],
    [{ stringMatch: { safeRegex: { regex: "ja.*" } } }, "jason", true],
    [{ stringMatch: { safeRegex: { regex: "as" } } }, "jason", false],
    [{ exactMatch: "jason" }, "jason", true],
    [{ prefixMatch: "ja" }, "jason", true],
    [{ suffixMatch: "ja" }, "jason", false],
    [{ containsMatch: "aso" }, "jason", true],
    [{ safeRegexMatch: { regex: "j.son" } }, "jason", true],
    [{ rangeMatch: { start: "-3", end: "7" } }, "-3", true],
    [{ rangeMatch: { start: "-3", end: "7" } }, "7", false],
    [{ rangeMatch: { start: "-3", end: "7" } }, "5x", false],
    [{ presentMatch: true }, "", true],
    [{ presentMatch: false }, "x", false],
    [{}, "x", true],
  ])("%j against %j", (matcher, value, expected) => {
    expect(matches(one(matcher), "/", { "end-user": value })).toBe(expected);
    expect(matches(one({ ...matcher, invertMatch: true }), "/", { "end-user": value })).toBe(!expected);
  });

  it("does not match a missing header, not even inverted, unless it counts as empty", () => {
    expect(matches(one({ stringMatch: { exact: "x" } }), "/")).toBe(false);
    expect(matches(one({ stringMatch: { exact: "x" }, invertMatch: true }), "/")).toBe(false);
    expect(matches(one({ stringMatch: { exact: "x" }, invertMatch: true, treatMissingHeaderAsEmpty: true }), "/")).toBe(
      true,
    );
  });

  it("matches absence by the inverted test of presence", () => {
    expect(matches(one({ presentMatch: true, invertMatch: true }), "/")).toBe(true);
    expect(matches(one({ presentMatch: true, invertMatch: true }), "/", { "end-user": "x" })).toBe(false);
  });

  it("reads pseudo-headers, and the authority under its old name", () => {
    expect(matches({ prefix: "/", headers: [{ name: ":method", stringMatch: { exact: "GET" } }] }, "/")).toBe(true);
    expect(matches({ prefix: "/", headers: [{ name: "Host", stringMatch: { exact: "any" } }] }, "/")).toBe(true);
  });

  it("needs all of several", () => {
    const match = {
      prefix: "/",
      headers: [
        { name: "a", presentMatch: true },
        { name: "b", presentMatch: true },
      ],
    };
    expect(matches(match, "/", { a: "1" })).toBe(false);
    expect(matches(match, "/", { a: "1", b: "2" })).toBe(true);
  });
});

describe("other conditions", () => {
  it("match query parameters by their first value, or by presence", () => {
    const exact = { prefix: "/", queryParameters: [{ name: "v", stringMatch: { exact: "2" } }] };
    expect(matches(exact, "/p?av=2&v=2&v=3")).toBe(true);
    expect(matches(exact, "/p?v=3&v=2")).toBe(false);
    expect(matches(exact, "/v=2")).toBe(false);
    const present = { prefix: "/", queryParameters: [{ name: "v", presentMatch: true }] };
    expect(matches(present, "/?v")).toBe(true);
    expect(matches(present, "/?vv=1")).toBe(false);
  });

  it("take a share of the requests", () => {
    const json = routesTo([
      { match: { prefix: "/", runtimeFraction: { defaultValue: { numerator: 20 } } }, route: { cluster: "a" } },
      { match: { prefix: "/" }, route: { cluster: "b" } },
    ]);
    expect(route(compileRoutes(json), "/", {}, () => 0.19)).toBe("a");
    expect(route(compileRoutes(json), "/", {}, () => 0.2)).toBe("b");
  });

  it("tell gRPC from other requests", () => {
    const match = { prefix: "/", grpc: {} };
    expect(matches(match, "/", { "content-type": "application/grpc+proto" })).toBe(true);
    expect(matches(match, "/", { "content-type": "application/grpc-web" })).toBe(false);
    expect(matches(match, "/")).toBe(false);
  });

  it("try routes in order", () => {
    const table = compileRoutes(
      routesTo([
        {
          match: { prefix: "/", headers: [{ name: "end-user", stringMatch: { exact: "jason" } }] },
          route: { cluster: "v2" },
        },
        { match: { prefix: "/" }, route: { cluster: "v1" } },
      ]),
    );
    expect(route(table, "/", { "end-user": "jason" })).toBe("v2");
    expect(route(table, "/")).toBe("v1");
  });
});

describe("cluster choice", () => {
  it("follows the weights, whatever their sum", () => {
    const clusters = [
      { name: "v1", weight: 75 },
      { name: "v2", weight: 0 },
      { name: "v3", weight: 75 },
    ];
    const table = compileRoutes(routesTo([{ match: { prefix: "/" }, route: { weightedClusters: { clusters } } }]));
    const counts: Record<string, number> = {};
    for (let i = 0; i < 1000; i++) {
      const name = route(table, "/", {}, () => i / 1000) ?? "";
      counts[name] = (counts[name] ?? 0) + 1;
    }
    expect(counts).toEqual({ v1: 500, v3: 500 });
  });

  it("reads the cluster's name from a header", () => {
    const table = compileRoutes(routesTo([{ match: { prefix: "/" }, route: { clusterHeader: "x-to" } }]));
    expect(route(table, "/", { "x-to": "outbound|80||a" })).toBe("outbound|80||a");
    expect(route(table, "/")).toBe("");
  });
});

describe("what cannot be compiled", () => {
  it.each([
    [{ match: { safeRegex: { regex: "(" } }, route: { cluster: "c" } }, "match.safeRegex.regex"],
    [{ match: { prefix: "/" } }, ""],
    [
      {
        match: { prefix: "/" },
        route: { cluster: "c", regexRewrite: { pattern: { regex: "/a" }, substitution: "\\1" } },
      },
      "route.regexRewrite.substitution",
    ],
    [{ match: { prefix: "/" }, route: { cluster: "c", metadataMatch: {} } }, "route.metadataMatch"],
    [{ match: { prefix: "/" }, route: { cluster: "c", internalRedirectPolicy: {} } }, "route.internalRedirectPolicy"],
    [
      {
        match: { prefix: "/", dynamicMetadata: [{ filter: "f", path: [], value: { presentMatch: true } }] },
        route: { cluster: "c" },
      },
      "match.dynamicMetadata[0].path",
    ],
    [
      { match: { prefix: "/" }, route: { weightedClusters: { clusters: [{ name: "a", weight: 0 }] } } },
      "route.weightedClusters",
    ],
    [
      {
        match: { prefix: "/" },
        route: { cluster: "c" },
        requestHeadersToAdd: [{ header: { key: ":path", value: "/" } }],
      },
      "requestHeadersToAdd[0].header.key",
    ],
    [
      {
        match: { prefix: "/" },
        route: { cluster: "c" },
        responseHeadersToAdd: [{ header: { key: "x", value: "%NO_SUCH%" } }],
      },
      "responseHeadersToAdd[0].header.value",
    ],
    [
      { match: { prefix: "/" }, directResponse: { status: 200, body: { filename: "/etc/passwd" } } },
      "directResponse.body",
    ],
  ])("%j gives a fault at %s", (entry, path) => {
    expect(faults(routesTo([entry]))).toEqual([`virtualHosts[0].routes[0]${path === "" ? "" : `.${path}`}`]);
  });
});
