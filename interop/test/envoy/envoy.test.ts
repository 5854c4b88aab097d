import { spawnSync } from "node:child_process";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { byEdge } from "../../../packages/mixerless/test/edge-counts.ts";
import { type DemoWorkloadSummary, RunningDemo } from "../../../packages/mixerless/test/running-demo.ts";
import { findProgram, titled } from "../peers.ts";
import { EnvoyServer } from "./envoy-server.ts";

const VIEWS = 20;
const METRIC = "istio_requests_total";

const program = findProgram("envoy");
const without = [program === null && "no envoy, npm run interop:setup installs it"];

interface SyncedProxy {
  readonly proxy: string;
  readonly user_agent: string;
  readonly resources: Record<
    string,
    { lastError?: unknown; refused: Record<string, string>; sent?: Nonce; acked?: Nonce }
  >;
}
interface Nonce {
  readonly nonce: string;
}

/** A workload with both listeners to its services and from them, and what its neighbours see of a page view. */
const CASES = [
  {
    name: "productpage-v1",
    // Envoy without telemetry tells nobody who it is: its callers know it from pilot, its servers don't.
    edges: {
      "source istio-ingressgateway productpage-v1 200 -": VIEWS,
      "destination unknown details-v1 200 -": VIEWS,
      "destination unknown reviews-v2 200 -": VIEWS,
      "source reviews-v2 ratings-v1 200 -": VIEWS,
      "destination reviews-v2 ratings-v1 200 -": VIEWS,
    },
  },
  {
    name: "reviews-v2",
    edges: {
      "source istio-ingressgateway productpage-v1 200 -": VIEWS,
      "destination istio-ingressgateway productpage-v1 200 -": VIEWS,
      "source productpage-v1 details-v1 200 -": VIEWS,
      "destination productpage-v1 details-v1 200 -": VIEWS,
      "source productpage-v1 reviews-v2 200 -": VIEWS,
      "destination unknown ratings-v1 200 -": VIEWS,
    },
  },
] as const;

const MODES = CASES.flatMap((one) => [
  { ...one, mtls: "off" },
  { ...one, mtls: "strict" },
]);

describe.skipIf(without.some(Boolean))(titled("stock Envoy as a sidecar", without), () => {
  describe.each(MODES)("of $name, mutual TLS $mtls", ({ name, edges, mtls }) => {
    let demo: RunningDemo;
    let envoy: EnvoyServer;
    let workload: DemoWorkloadSummary;

    beforeAll(async () => {
      demo = await RunningDemo.start("--no-traffic", "--reviews", "v2", "--mtls", mtls, "--external", name);
      workload = demo.workload(name);
      envoy = await EnvoyServer.start(program ?? "", workload.bootstrap ?? "", workload.admin);
    });

    afterAll(async () => {
      await envoy?.stop();
      await demo?.stop();
    });

    it("takes every resource: nothing refused in its own eyes", async () => {
      expect(await envoy.refused()).toEqual([]);
      expect(await envoy.rejectedUpdates()).toEqual({});
      const taken = await envoy.stats("(lds|cds)\\.update_success$");
      expect(Object.values(taken).every((count) => count > 0)).toBe(true);
      expect(envoy.complaints).toEqual([]);
    });

    it("takes every resource: nothing refused, everything acknowledged in the control plane's", async () => {
      const proxies = JSON.parse(await demo.pilot("/debug/syncz")) as SyncedProxy[];
      const synced = proxies.find(({ proxy }) => proxy === `${name}.default`);
      expect(synced?.user_agent).toBe("envoy");
      const resources = Object.values(synced?.resources ?? {});
      expect(resources.length).toBeGreaterThanOrEqual(3);
      for (const { lastError, refused, sent, acked } of resources) {
        expect(lastError ?? null).toBeNull();
        expect(refused).toEqual({});
        expect(acked?.nonce).toBe(sent?.nonce);
      }
    });

    it("was sent no istio.* filter", async () => {
      expect(await envoy.page("/config_dump")).not.toMatch(/"name": "istio\./);
    });

    it("passes traffic, which its neighbours count exactly", async () => {
      const expected = Object.values(edges).reduce((sum, count) => sum + count, 0);
      const grown = await growth(demo, name, expected, async () => {
        for (let view = 0; view < VIEWS; view++) {
          const page = await fetch(`${demo.summary.ingress}/productpage`);
          expect(page.status).toBe(200);
          expect(await page.text()).toContain("The Comedy of Errors");
        }
      });
      expect(byEdge(grown)).toEqual(edges);
    });

    it("follows a change of configuration while it serves", async () => {
      const route = (status: number) =>
        `${HEADER}  hosts: [ratings]\n  http:\n  - fault: {abort: {percentage: {value: 100}, httpStatus: ${status}}}\n    route: [{destination: {host: ratings}}]\n`;
      await demo.write("ratings.yaml", route(418));
      const target = `http://${egressOfRatings(await envoy.page("/listeners?format=json"))}/ratings/0`;
      await until(async () => (await fetch(target)).status === 418);
      expect(await envoy.refused()).toEqual([]);
    });
  });
});

const HEADER = `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: ratings, namespace: default}
spec:
`;

/** The last egress listener is that of ratings, for both workloads. */
function egressOfRatings(listeners: string): string {
  const found = [...listeners.matchAll(/"address":\s*"(127\.\d+\.\d+\.\d+)",\s*"port_value":\s*9080/g)].map(
    ([, ip]) => ip ?? "",
  );
  const egress = found.filter((ip) => !ip.startsWith("127.0.")).sort();
  return `${egress.at(-1)}:9080`;
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((wake) => setTimeout(wake, 50));
}

/** As `RunningDemo.growth`, without the workload whose proxy is Envoy. */
async function growth(demo: RunningDemo, external: string, expected: number, action: () => Promise<void>) {
  const others = Object.assign(Object.create(demo) as RunningDemo, {
    summary: {
      ...demo.summary,
      workloads: demo.summary.workloads.filter(({ name }) => name !== external),
    },
  });
  return others.growth(METRIC, expected, action);
}

describe.skipIf(without.some(Boolean))(titled("stock Envoy with a workload's certificate", without), () => {
  const name = "productpage-v1";
  let demo: RunningDemo;
  let envoy: EnvoyServer;
  let workload: DemoWorkloadSummary;

  beforeAll(async () => {
    const flags = ["--no-traffic", "--reviews", "v2", "--certificate-lifetime", "10s", "--external", name];
    demo = await RunningDemo.start(...flags);
    workload = demo.workload(name);
    envoy = await EnvoyServer.start(program ?? "", workload.bootstrap ?? "", workload.admin);
  });

  afterAll(async () => {
    await envoy?.stop();
    await demo?.stop();
  });

  const view = async () => (await fetch(`${demo.summary.ingress}/productpage`)).status;
  const shown = async () => /"uri": "(spiffe:[^"]*)"/.exec(await envoy.page("/certs"))?.[1];

  it("shows it to its neighbours and to the control plane", async () => {
    expect(await view()).toBe(200);
    expect(await shown()).toBe("spiffe://cluster.local/ns/default/sa/bookinfo-productpage");
    const handshakes = await envoy.stats("ssl\\.handshake$");
    for (const peer of [
      /^listener\./,
      /^cluster\.outbound.*details/,
      /^cluster\.outbound.*reviews/,
      /^cluster\.xds-grpc\./,
    ])
      expect(Object.entries(handshakes).some(([stat, count]) => peer.test(stat) && count > 0)).toBe(true);
  });

  it("takes no request in clear", async () => {
    await expect(fetch(`http://${workload.inbound}/productpage`)).rejects.toThrow("fetch failed");
  });

  it("takes renewed ones as they come, while it serves", async () => {
    const serials = new Set<string>();
    await until(async () => {
      expect(await view()).toBe(200);
      const { certificates } = JSON.parse(await envoy.page("/certs")) as CertificatesPage;
      for (const { serial_number: serial } of certificates.flatMap((one) => one.cert_chain)) serials.add(serial);
      return serials.size >= 3;
    });
    expect(await envoy.rejectedUpdates()).toEqual({});
  });
});

/** Envoy's `/certs`. */
interface CertificatesPage {
  readonly certificates: readonly { readonly cert_chain: readonly { readonly serial_number: string }[] }[];
}

describe.skipIf(without.some(Boolean))(titled("stock Envoy's check of a bootstrap", without), () => {
  it("accepts what the demo writes for it", async () => {
    const demo = await RunningDemo.start("--no-traffic", "--external", "details-v1");
    try {
      const { bootstrap } = demo.workload("details-v1");
      const checked = spawnSync(program ?? "", ["--mode", "validate", "-c", bootstrap ?? ""], { encoding: "utf8" });
      expect(checked.stdout + checked.stderr).toContain("OK");
      expect(checked.status).toBe(0);
    } finally {
      await demo.stop();
    }
  });
});
