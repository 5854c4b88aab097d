import { describe, expect, it } from "vitest";
import { type Manifest, object, pod, proxy, pushOf, service } from "../model/testing/push-of.ts";
import { whoCanPage } from "./who-can-page.ts";

function ask(policies: readonly Manifest[], to = "b-v1.default") {
  const current = pushOf([
    service("b", {
      ports: [
        { name: "http", port: 80, targetPort: 8080 },
        { name: "tcp", port: 90, targetPort: 9090 },
      ],
    }),
    pod("b-v1", "10.0.0.2"),
    ...policies,
  ]);
  const proxies = new Map([["1", proxy("b-v1", { ipAddresses: ["10.0.0.2"] })]]);
  const facts = { current, proxies, telemetry: "native" as const, mutualTls: true };
  const { status = 200, body } = whoCanPage(facts, new URLSearchParams({ to }));
  return { status, ...(JSON.parse(String(body)) as { ports: Record<string, unknown>[]; error?: string }) };
}

function policy(name: string, spec: Manifest, annotations: Manifest = {}): Manifest {
  return object("AuthorizationPolicy", name, spec, { metadata: { annotations } });
}

describe("/debug/whocanz", () => {
  it("says that ports are open, and what they take", () => {
    const strict = object("PeerAuthentication", "strict", { mtls: { mode: "STRICT" } });
    expect(ask([strict]).ports).toMatchObject([
      { port: 8080, protocol: "HTTP", open: true, allow: [], deny: [], mtls: { mode: "STRICT", line: 5 } },
      { port: 9090, protocol: "TCP", open: true },
    ]);
  });

  it("tells sources, operations and conditions in words, with object, field, file and line", () => {
    const rule = {
      from: [
        { source: { principals: ["td/ns/n/sa/a", "td/ns/n/sa/b"], notNamespaces: ["x"] } },
        { source: { ipBlocks: ["10.0.0.0/8"], requestPrincipals: ["*"] } },
      ],
      to: [{ operation: { methods: ["GET"], paths: ["/a*"], notHosts: ["h"] } }],
      when: [{ key: "request.headers[x]", values: ["1", "2"], notValues: ["3"] }],
    };
    const { ports } = ask([policy("p", { rules: [rule] })]);
    expect(ports[0]).toMatchObject({
      open: false,
      allow: [
        {
          who: [
            "principal td/ns/n/sa/a or td/ns/n/sa/b and namespace other than x",
            "token of * and address 10.0.0.0/8",
          ],
          what: ["method GET and path /a* and host other than h"],
          when: ["request.headers[x] is 1 or 2", "request.headers[x] is none of 3"],
          object: "AuthorizationPolicy default/p",
          path: "spec.rules[0]",
          file: "test.yaml",
        },
      ],
    });
    // Nobody can be asked for a path where there are no requests.
    expect(ports[1]).toMatchObject({ open: false, allow: [] });
  });

  it("leaves out what cannot concern a port", () => {
    const to = (operation: Manifest) => ({ to: [{ operation }] });
    const rules = [
      to({ ports: ["9090"] }),
      to({ notPorts: ["8080"] }),
      { when: [{ key: "destination.port", values: ["9090"] }] },
      { when: [{ key: "destination.port", notValues: ["8080"] }] },
      { to: [{ operation: { ports: ["9090"] } }, { operation: { paths: ["/x"] } }] },
    ];
    const { ports } = ask([policy("p", { action: "DENY", rules })]);
    expect(ports.map(({ deny }) => (deny as { path: string }[]).map(({ path }) => path))).toEqual([
      ["spec.rules[4]"],
      rules.map((_, i) => `spec.rules[${i}]`),
    ]);
    expect(ports[0]).toMatchObject({ deny: [{ what: ["path /x"], widened: false }] });
    expect(ports[1]).toMatchObject({ deny: [{}, {}, {}, {}, { what: ["anything", "anything"], widened: true }] });
  });

  it("marks what is on trial, and what nobody can be asked about yet denies", () => {
    const trial = policy("t", { rules: [{}] }, { "istio.io/dry-run": "true" });
    const custom = policy("c", { action: "CUSTOM", provider: { name: "x" }, rules: [{}] });
    expect(ask([trial, custom]).ports[0]).toMatchObject({
      open: true,
      allow: [{ dryRun: true }],
      deny: [{ dryRun: false, object: "AuthorizationPolicy default/c" }],
    });
  });

  it("knows connected proxies only", () => {
    expect(ask([], "a.b")).toMatchObject({ status: 404, error: expect.stringContaining('No proxy "a.b"') as string });
  });
});
