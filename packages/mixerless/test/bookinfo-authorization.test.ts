import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseAllDocuments, stringify } from "yaml";
import { EDGE, sumBy } from "./edge-counts.ts";
import { fetchPage } from "./fetch-page.ts";
import { RunningDemo } from "./running-demo.ts";

const run = promisify(execFile);
const COMMAND = fileURLToPath(new URL("../bin/mixerless.js", import.meta.url));
const METRIC = "istio_requests_total";
const GATEWAY = "spiffe://cluster.local/ns/istio-system/sa/istio-ingressgateway-service-account";
const BOOKINFO = "spiffe://cluster.local/ns/default/sa/bookinfo-";
/** Lines from the first of an AuthorizationPolicy to its rule, and of the PeerAuthentication to its mode. */
const RULE = 11;
const MODE = 7;

interface Egress {
  readonly bind?: string;
  readonly port?: { readonly number: number; readonly protocol: string; readonly name: string };
  readonly captureMode?: string;
  readonly hosts: readonly string[];
}

interface Sidecar {
  readonly metadata: { readonly name: string };
  readonly spec: { egress: Egress[] };
}

describe("demo --mtls strict --authz bookinfo", () => {
  let demo: RunningDemo;

  beforeAll(async () => {
    demo = await RunningDemo.start("--no-traffic", "--mtls", "strict", "--authz", "bookinfo");
  }, 60_000);

  afterAll(async () => {
    await demo?.stop();
  }, 20_000);

  const path = (file: string) => join(demo.summary.config, file);
  const sidecars = () =>
    parseAllDocuments(readFileSync(path("sidecars.yaml"), "utf8")).map((one) => one.toJS() as Sidecar);

  /** Where an application finds a service: at its sidecar, which calls with the workload's certificate. */
  function egress(workload: string, service: string): string {
    const listeners = sidecars().find(({ metadata }) => metadata.name === workload)?.spec.egress ?? [];
    const found = listeners.find(({ port }) => port?.name === `http-${service}`);
    return `http://${found?.bind}:${found?.port?.number}`;
  }

  async function check(...words: string[]): Promise<string> {
    const { stdout } = await run(process.execPath, [
      ...[COMMAND, "authz", "check", ...words],
      ...["--pilot", demo.summary.pilot],
    ]);
    return stdout;
  }

  /** `Kind namespace/name (file:line)`: the object's first line, or one that comes `after` it. */
  function place(kind: string, object: string, file: string, after = 0): string {
    const [, name = ""] = object.split("/");
    const lines = readFileSync(path(file), "utf8").split("\n");
    const named = lines.indexOf(`  name: ${name}`);
    expect(lines[named - 2]).toBe(`kind: ${kind}`);
    return `${kind} ${object} (${path(file)}:${named - 2 + after})`;
  }

  const authorization = (app: string, after = 0) =>
    place("AuthorizationPolicy", `default/${app}-viewer`, "authorization.yaml", after);

  it.each([
    ["istio-ingressgateway", "productpage", "productpage-v1", GATEWAY],
    ["productpage-v1", "details", "details-v1", `${BOOKINFO}productpage`],
    ["productpage-v1", "reviews", "reviews-v1", `${BOOKINFO}productpage`],
    ["productpage-v1", "reviews", "reviews-v2", `${BOOKINFO}productpage`],
    ["productpage-v1", "reviews", "reviews-v3", `${BOOKINFO}productpage`],
    ["reviews-v2", "ratings", "ratings-v1", `${BOOKINFO}reviews`],
    ["reviews-v3", "ratings", "ratings-v1", `${BOOKINFO}reviews`],
  ])(
    "lets %s call %s at %s, as authz check says",
    async (caller, service, called, principal) => {
      const atGateway = caller === "istio-ingressgateway";
      const request = atGateway ? "/productpage" : `/${service}/0`;
      const told = await check("--from", caller, "--to", called, "--path", request);
      expect(told.split("\n")[0]).toMatch(
        new RegExp(`^ALLOWED: ${called}\\.default port \\d+ \\(HTTP\\) from .*, ${principal}$`),
      );
      expect(told).toContain(`  spec.rules[0] of ${authorization(service, RULE)}, action ALLOW, matches.\n`);
      const url = `${atGateway ? demo.summary.ingress : egress(caller, service)}${request}`;
      // A service's versions take turns; each end counts a moment after the answer.
      const wanted = ["source", "destination"].map((reporter) => `${reporter} ${caller} ${called} 200 - ${principal}`);
      let edges: string[] = [];
      while (!wanted.every((edge) => edges.includes(edge))) {
        expect((await fetchPage(url)).status).toBe(200);
        edges = Object.keys(sumBy(await demo.series(METRIC), ...EDGE, "source_principal"));
      }
      expect(edges.filter((edge) => !edge.includes(" 200 - "))).toEqual([]);
    },
    60_000,
  );

  it("refuses ratings that call details, counted by both ends and told by authz check", async () => {
    const asked = ["--from", "ratings-v1", "--to", "details-v1", "--path", "/details/0"];
    const without = await check(...asked);
    expect(without).toMatch(/^DENIED: details-v1\.default .* plaintext\n/);
    expect(without).toContain(
      `can be called in plaintext only, by ${place("Sidecar", "default/ratings-v1", "sidecars.yaml")}.`,
    );
    // Bookinfo gives ratings no way to details. With one their proxy calls by certificate and the policy decides.
    const documents = sidecars();
    const port = { number: 9080, protocol: "HTTP", name: "http-details" };
    for (const { metadata, spec } of documents)
      if (metadata.name === "ratings-v1")
        spec.egress = [
          { port, bind: "127.99.6.2", captureMode: "NONE", hosts: ["default/details.default.svc.cluster.local"] },
        ];
    await demo.write("sidecars.yaml", documents.map((one) => stringify(one)).join("---\n"));

    const call = () => fetchPage(`${egress("ratings-v1", "details")}/details/0`);
    const grown = await demo.growth(METRIC, 2, async () => {
      let answer = await call().catch(() => null);
      while (answer === null) answer = await call().catch(() => null);
      expect(answer).toEqual({ status: 403, body: "RBAC: access denied" });
    });
    const labels = [...EDGE, "source_principal", "destination_principal", "connection_security_policy"];
    const edge = `ratings-v1 details-v1 403 - ${BOOKINFO}ratings ${BOOKINFO}details`;
    expect(sumBy(grown, ...labels)).toEqual({
      [`source ${edge} unknown`]: 1,
      [`destination ${edge} mutual_tls`]: 1,
    });

    const told = await check(...asked);
    expect(told).toMatch(new RegExp(`^DENIED: details-v1\\.default .*, ${BOOKINFO}ratings\\n`));
    expect(told).toContain("  There are ALLOW policies and no rule of them matches.\n");
    expect(told).toContain(`\n  ALLOW  ${authorization("details")}\n`);
    expect(told).not.toContain("plaintext");
  }, 60_000);

  it.each(["reviews-v1", "reviews-v2", "reviews-v3"])(
    "closes on a client from outside the mesh that calls %s, counted and told by authz check",
    async (called) => {
      const { inbound, admin } = demo.workload(called);
      const page = `${admin}/stats?filter=${inbound.replace(":", "_")}.no_filter_chain_match`;
      const closed = async () => Number((await fetchPage(page)).body.split(": ")[1]);
      const before = { closed: await closed(), requests: await demo.series(METRIC) };
      await expect(fetchPage(`http://${inbound}/reviews/0`)).rejects.toMatchObject({ code: "ECONNRESET" });
      // There was no request, so neither reporter has one.
      expect({ closed: (await closed()) - 1, requests: await demo.series(METRIC) }).toEqual(before);
      const told = await check("--source-ip", "127.0.0.1", "--to", called, "--path", "/reviews/0");
      expect(told).toMatch(new RegExp(`^DENIED: ${called}\\.default .*, plaintext\\n`));
      const strict = place("PeerAuthentication", "istio-system/default", "peer-authentication.yaml", MODE);
      expect(told).toContain(`  The port takes mutual TLS only, by spec.mtls.mode of ${strict}.\n`);
    },
    60_000,
  );
});
