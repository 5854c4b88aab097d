import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, get, type OutgoingHttpHeaders, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findProgram, freePort, titled } from "../peers.ts";
import { startEmbedded } from "./embedded-proxy.ts";
import { EnvoyServer } from "./envoy-server.ts";

const program = findProgram("envoy");
const without = [program === null && "no envoy, npm run interop:setup installs it"];

const BALANCERS = {
  ring: { lb_policy: "RING_HASH" },
  "small-ring": { lb_policy: "RING_HASH", ring_hash_lb_config: { minimum_ring_size: 10, maximum_ring_size: 100 } },
  maglev: { lb_policy: "MAGLEV" },
  "small-maglev": { lb_policy: "MAGLEV", maglev_lb_config: { table_size: 251 } },
};
const WEIGHTS = {
  equal: [1, 1, 1, 1, 1],
  weighted: [1, 2, 3, 5, 7],
  localities: [1, 2, 1, 3, 1],
  unhealthy: [1, 2, 1, 3, 1],
};
const header = (headerName: string, terminal = false) => ({ header: { header_name: headerName }, terminal });
const POLICIES: Record<string, object[]> = {
  header: [header("x-user")],
  "two-headers": [header("x-user"), header("x-team")],
  terminal: [header("x-user", true), header("x-team")],
  query: [{ query_parameter: { name: "user" } }],
  cookie: [{ cookie: { name: "user" } }],
  "source-ip": [{ connection_properties: { source_ip: true } }],
};
const CLUSTERS = Object.keys(BALANCERS).flatMap((balancer) =>
  Object.keys(WEIGHTS).map((weights) => `${balancer}-${weights}`),
);

function clusterOf(balancer: keyof typeof BALANCERS, weights: keyof typeof WEIGHTS, ports: readonly number[]): object {
  const endpoints = ports.map((port, i) => ({
    endpoint: { address: { socket_address: { address: "127.0.0.1", port_value: port } } },
    load_balancing_weight: WEIGHTS[weights][i],
    ...(weights === "unhealthy" && i === 3 && { health_status: "UNHEALTHY" }),
  }));
  const locality = (zone: string, weight: number, from: number, to?: number) => ({
    locality: { region: "here", zone },
    load_balancing_weight: weight,
    lb_endpoints: endpoints.slice(from, to),
  });
  const name = `${balancer}-${weights}`;
  const two = weights === "localities" || weights === "unhealthy";
  return {
    name,
    type: "STATIC",
    ...BALANCERS[balancer],
    ...(two && { common_lb_config: { locality_weighted_lb_config: {} } }),
    load_assignment: {
      cluster_name: name,
      endpoints: two ? [locality("a", 30, 0, 2), locality("b", 70, 2)] : [{ lb_endpoints: endpoints }],
    },
  };
}

function bootstrap(ports: readonly number[], listener: number, admin: number): object {
  const address = (port: number) => ({ socket_address: { address: "127.0.0.1", port_value: port } });
  const routes = CLUSTERS.flatMap((cluster) =>
    Object.entries(POLICIES).map(([policy, hash]) => ({
      match: { prefix: `/${cluster}/${policy}` },
      route: { cluster, hash_policy: hash },
    })),
  );
  const hcm = {
    "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
    stat_prefix: "in",
    route_config: { virtual_hosts: [{ name: "all", domains: ["*"], routes }] },
    http_filters: [
      {
        name: "envoy.filters.http.router",
        typed_config: { "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router" },
      },
    ],
  };
  return {
    admin: { address: address(admin) },
    static_resources: {
      listeners: [
        {
          name: "in",
          address: address(listener),
          filter_chains: [{ filters: [{ name: "envoy.filters.network.http_connection_manager", typed_config: hcm }] }],
        },
      ],
      clusters: (Object.keys(BALANCERS) as (keyof typeof BALANCERS)[]).flatMap((balancer) =>
        (Object.keys(WEIGHTS) as (keyof typeof WEIGHTS)[]).map((weights) => clusterOf(balancer, weights, ports)),
      ),
    },
  };
}

/** Users enough that each backend meets some; the last has two lines of its header. */
const USERS = Array.from({ length: 40 }, (_, i) => `user-${i}-${"x".repeat(i)}`);

function ask(url: string, headers: OutgoingHttpHeaders): Promise<string> {
  return new Promise((resolve, reject) => {
    get(url, { headers }, (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (text: string) => {
        body += text;
      });
      response.on("end", () => resolve(`${response.statusCode} ${body}`));
    }).on("error", reject);
  });
}

/** Path → the backend of each user. */
async function placements(port: number): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const cluster of CLUSTERS) {
    for (const policy of Object.keys(POLICIES)) {
      const path = `/${cluster}/${policy}`;
      const answers = USERS.map((user, i) => {
        const headers = { "x-user": i % 5 === 4 ? [user, "another", user] : user, "x-team": `team-${i % 7}` };
        return ask(`http://127.0.0.1:${port}${path}?user=${user}`, { ...headers, cookie: `a=b; user=${user}` });
      });
      found[path] = (await Promise.all(answers)).join(" ");
    }
  }
  return found;
}

describe.skipIf(without.some(Boolean))(titled("consistent hashing beside stock Envoy", without), () => {
  const origins: Server[] = [];
  const ports: number[] = [];
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "mixerless-hash-"));
    for (const name of ["a", "b", "c", "d", "e"]) {
      const server = createServer((_request, response) => response.end(name));
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      origins.push(server);
      ports.push((server.address() as AddressInfo).port);
    }
    // In no order by number or text, which some balancers bring them into.
    ports.sort((a, b) => (a % 7) - (b % 7) || b - a);
  });

  afterAll(async () => {
    for (const server of origins) server.close();
    await rm(folder, { recursive: true, force: true });
  });

  it("sends each user where Envoy sends it, by every policy, balancer and weight", async () => {
    const [theirs, ours, admin] = [await freePort(), await freePort(), await freePort()];
    const file = join(folder, "envoy.json");
    await writeFile(file, JSON.stringify(bootstrap(ports, theirs, admin)));
    const envoy = await EnvoyServer.start(program ?? "", file, `http://127.0.0.1:${admin}`);
    const proxy = await startEmbedded(bootstrap(ports, ours, 0));
    try {
      const expected = await placements(theirs);
      expect(new Set(Object.values(expected).join(" ").split(" "))).toEqual(new Set(["200", "a", "b", "c", "d", "e"]));
      expect(await placements(ours)).toEqual(expected);
    } finally {
      await envoy.stop();
      await proxy.close();
    }
  });
});
