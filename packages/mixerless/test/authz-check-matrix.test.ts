import { get } from "node:http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fetchPage } from "./fetch-page.ts";
import { RunningDemo } from "./running-demo.ts";

const FILE = "matrix.yaml";
const SECURITY = "security.istio.io/v1";
const GATEWAY = "cluster.local/ns/istio-system/sa/istio-ingressgateway-service-account";
const REVIEWS = "cluster.local/ns/default/sa/bookinfo-reviews";

function object(apiVersion: string, kind: string, name: string, spec: object): object {
  return { apiVersion, kind, metadata: { name, namespace: "default" }, spec };
}
const selecting = (app: string) => ({ selector: { matchLabels: { app } } });
const namespaceMtls = (mode: string) => object(SECURITY, "PeerAuthentication", "all", { mtls: { mode } });
const workloadMtls = (app: string, mode: string) =>
  object(SECURITY, "PeerAuthentication", app, { ...selecting(app), mtls: { mode } });
const clientTls = (host: string, tls: object) =>
  object("networking.istio.io/v1", "DestinationRule", `tls-to-${host}`, { host, trafficPolicy: { tls } });
const policy = (app: string, action: string, source: object) =>
  object(SECURITY, "AuthorizationPolicy", app, { ...selecting(app), action, rules: [{ from: [{ source }] }] });

/** A call: the question to the control plane, and the real request. */
interface Call {
  readonly question: string;
  readonly url: string;
  readonly host: string;
}

describe("what authz check says is what a request gets", () => {
  let demo: RunningDemo;
  let calls: readonly Call[];

  beforeAll(async () => {
    demo = await RunningDemo.start("--no-traffic", "--reviews", "v3", "--mtls", "permissive");
    const inbound = (name: string) => `http://${demo.workload(name).inbound}`;
    const egress = async (name: string) => {
      const { body } = await fetchPage(`${demo.workload(name).admin}/listeners`);
      return `http://${/127\.1\.\d+\.\d+:\d+/.exec(body)?.[0]}`;
    };
    calls = [
      {
        question: "from=istio-ingressgateway.istio-system&to=productpage-v1.default&path=/productpage",
        url: `${demo.summary.ingress}/productpage`,
        host: "shop",
      },
      {
        question: "from=productpage-v1.default&to=details-v1.default&path=/details/0",
        url: `${await egress("productpage-v1")}/details/0`,
        host: "details:9080",
      },
      {
        question: "from=reviews-v3.default&to=ratings-v1.default&path=/ratings/0",
        url: `${await egress("reviews-v3")}/ratings/0`,
        host: "ratings:9080",
      },
      {
        question: "sourceIp=127.0.0.1&to=productpage-v1.default&path=/productpage",
        url: `${inbound("productpage-v1")}/productpage`,
        host: "productpage",
      },
      {
        question: "sourceIp=127.0.0.1&to=ratings-v1.default&path=/ratings/0",
        url: `${inbound("ratings-v1")}/ratings/0`,
        host: "ratings",
      },
      {
        question: "sourceIp=127.0.0.1&to=istio-ingressgateway.istio-system&path=/productpage",
        // The gateway's own verdict: no route has this path.
        url: `${demo.summary.ingress}/nowhere`,
        host: "shop",
      },
    ];
  }, 60_000);

  afterAll(async () => {
    await demo?.stop();
  }, 20_000);

  async function said({ question }: Call): Promise<string> {
    const { allowed } = JSON.parse(await demo.pilot(`/debug/authorizationz?${question}`)) as { allowed?: boolean };
    return allowed === undefined ? "?" : allowed ? "A" : "D";
  }

  /** Refused: by a policy, or because the connection did not come about. */
  async function got({ url, host }: Call): Promise<string> {
    const status = await new Promise<number>((resolve) => {
      get(url, { headers: { host }, agent: false }, (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      }).on("error", () => resolve(0));
    });
    return status === 0 || status === 403 || status === 503 ? "D" : "A";
  }

  const letters = async (ask: (call: Call) => Promise<string>) => (await Promise.all(calls.map(ask))).join("");

  it.each([
    // gateway → productpage, productpage → details, reviews → ratings, outside → productpage, → ratings, → gateway
    ["mutual TLS where both ends can", "AAAAAA", () => []],
    ["STRICT in the namespace", "AAADDA", () => [namespaceMtls("STRICT")]],
    ["DISABLE in the namespace", "AAAAAA", () => [namespaceMtls("DISABLE")]],
    [
      "STRICT on a port of one workload",
      "AAAADA",
      () => {
        const port = demo.workload("ratings-v1").inbound.split(":")[1] ?? "";
        const spec = { ...selecting("ratings"), portLevelMtls: { [port]: { mode: "STRICT" } } };
        return [object(SECURITY, "PeerAuthentication", "ratings", spec)];
      },
    ],
    [
      "one workload in plaintext under STRICT",
      "AAADAA",
      () => [namespaceMtls("STRICT"), workloadMtls("ratings", "DISABLE")],
    ],
    [
      "a client in plaintext under STRICT",
      "ADADDA",
      () => [namespaceMtls("STRICT"), clientTls("details", { mode: "DISABLE" })],
    ],
    ["a client with TLS of its own", "AADAAA", () => [clientTls("ratings", { mode: "SIMPLE" })]],
    ["an ALLOW policy of a principal", "AAADAA", () => [policy("productpage", "ALLOW", { principals: [GATEWAY] })]],
    [
      "a client that insists where nothing takes TLS",
      "AADAAA",
      () => [namespaceMtls("DISABLE"), clientTls("ratings", { mode: "ISTIO_MUTUAL" })],
    ],
    ["an ALLOW policy of a namespace", "AAAADA", () => [policy("ratings", "ALLOW", { namespaces: ["default"] })]],
    [
      "a client that expects somebody else",
      "AADAAA",
      () => [clientTls("ratings", { mode: "ISTIO_MUTUAL", subjectAltNames: ["spiffe://cluster.local/ns/a/sa/b"] })],
    ],
    ["a DENY policy of everybody with an identity", "ADAAAA", () => [policy("details", "DENY", { principals: ["*"] })]],
    [
      "the same for a client in plaintext",
      "AAAAAA",
      () => [policy("details", "DENY", { principals: ["*"] }), clientTls("details", { mode: "DISABLE" })],
    ],
    [
      "an identity that nobody proves",
      "AADAAA",
      () => [
        policy("ratings", "DENY", { notPrincipals: [REVIEWS], namespaces: ["*"] }),
        policy("details", "DENY", { notPrincipals: ["*"] }),
        clientTls("ratings", { mode: "ISTIO_MUTUAL", subjectAltNames: ["spiffe://cluster.local/ns/a/sa/b"] }),
      ],
    ],
  ] as const)(
    "%s: %s",
    async (_name, expected, objects) => {
      await demo.write(
        FILE,
        objects()
          .map((one) => JSON.stringify(one))
          .join("\n---\n"),
      );
      // The change reaches the control plane first and each proxy a moment later.
      let seen = { said: "", got: "" };
      for (let i = 0; i < 150 && (seen.said !== expected || seen.got !== expected); i++)
        seen = { said: await letters(said), got: await letters(got) };
      expect(seen).toEqual({ said: expected, got: expected });
    },
    30_000,
  );
});
