import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fetchPage } from "./fetch-page.ts";
import { Load } from "./load.ts";
import { RunningDemo } from "./running-demo.ts";

const METRIC = "istio_requests_total";
/** Who calls whom: each moves by the removal of its rule. */
const CLIENTS = { productpage: ["reviews", "details"], reviews: ["ratings"] };
const STRICT = `apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: { name: strict, namespace: default }
spec: { mtls: { mode: STRICT } }
`;

/** Lets one application go on in clear, whatever its servers can. */
function inClear(app: string, hosts: readonly string[]): string {
  return hosts
    .map(
      (host) => `apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: ${app}-to-${host}-in-clear, namespace: default }
spec:
  host: ${host}
  workloadSelector: { matchLabels: { app: ${app} } }
  trafficPolicy: { tls: { mode: DISABLE } }
`,
    )
    .join("---\n");
}

describe("clients that move to mutual TLS one by one", () => {
  let demo: RunningDemo;
  let load: Load;

  beforeAll(async () => {
    demo = await RunningDemo.start("--no-traffic", "--mtls", "permissive");
    for (const [app, hosts] of Object.entries(CLIENTS)) await demo.write(`${app}.yaml`, inClear(app, hosts));
  }, 60_000);

  afterAll(async () => {
    await load?.stop();
    await demo?.stop();
  }, 20_000);

  /** Requests that servers have counted by client and policy: `productpage none` → number. */
  async function counted(): Promise<Map<string, number>> {
    const totals = new Map<string, number>();
    for (const [labels, value] of await demo.series(METRIC)) {
      const { reporter, source_app, connection_security_policy } = JSON.parse(labels) as Record<string, string>;
      if (reporter !== "destination") continue;
      const key = `${source_app} ${connection_security_policy}`;
      totals.set(key, (totals.get(key) ?? 0) + value);
    }
    return totals;
  }

  /** Whether a caller of no mesh gets an answer. */
  async function takesPlaintext(): Promise<boolean> {
    return fetchPage(`http://${demo.workload("ratings-v1").inbound}/ratings/0`).then(
      ({ status }) => status === 200,
      () => false,
    );
  }

  /** Resolves when a client's requests come by the one policy, and no more by the other. */
  async function speaks(app: string, policy: string, other: string): Promise<void> {
    for (;;) {
      const before = await counted();
      await load.more(50);
      const after = await counted();
      const grew = (key: string) => (after.get(key) ?? 0) > (before.get(key) ?? 0);
      if (grew(`${app} ${policy}`) && !grew(`${app} ${other}`)) return;
    }
  }

  it("lose no request, nor when nothing but mutual TLS is let in any more", async () => {
    load = new Load(`${demo.summary.ingress}/productpage`);
    for (const app of Object.keys(CLIENTS)) await speaks(app, "none", "mutual_tls");
    for (const app of Object.keys(CLIENTS)) {
      await demo.remove(`${app}.yaml`);
      await speaks(app, "mutual_tls", "none");
    }
    await demo.write("strict.yaml", STRICT);
    while (await takesPlaintext()) await load.more(10);
    await load.more(200);
    // And back.
    await demo.remove("strict.yaml");
    while (!(await takesPlaintext())) await load.more(10);
    await load.stop();
    expect(Object.fromEntries(load.answers)).toEqual({ 200: load.total });
  }, 120_000);
});
