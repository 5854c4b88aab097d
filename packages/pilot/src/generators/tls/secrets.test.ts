import { SystemClock } from "@mixerless/clock";
import { createRoot } from "@mixerless/identity/authority";
import type { Secret } from "@mixerless/wire/envoy/extensions/transport_sockets/tls/v3/secret";
import { TypeUrl } from "@mixerless/xds";
import { beforeAll, describe, expect, it } from "vitest";
import type { ProxyNode } from "../../model/proxy-node.ts";
import type { PushContext } from "../../model/push-context.ts";
import { proxy, pushOf } from "../../model/testing/push-of.ts";
import { GENERATED_TYPES, generate } from "../../push/generate-resources.ts";
import { PilotSource } from "../../push/pilot-source.ts";

let push: PushContext;

const secret = (name: string, stringData: object) => ({
  apiVersion: "v1",
  kind: "Secret",
  metadata: { name, namespace: "gw" },
  stringData,
});

beforeAll(async () => {
  const root = await createRoot("a", new SystemClock().now(), 3_600_000);
  const certificate = root["ca-cert.pem"];
  const pair = { "tls.crt": certificate, "tls.key": root["ca-key.pem"] };
  push = pushOf([
    secret("pair", pair),
    secret("both", { ...pair, "ca.crt": certificate }),
    secret("apart", pair),
    secret("apart-cacert", { cacert: certificate }),
    secret("other", { password: "x" }),
  ]);
});

const gateway = (namespace = "gw") => proxy(`${namespace}/gateway-1`, { type: "router" });

function served(of: ProxyNode, names: string[], authenticated = true): string[] {
  const made = generate({ proxy: of, push, telemetry: "none", authenticated }, TypeUrl.secret, new Set(names)) ?? [];
  return made.map(({ name, message, provenance }) => {
    const { type } = message as Secret;
    return `${name} ${type.case} ${provenance.map(({ config }) => config.name)}`;
  });
}

describe("secrets of the configuration", () => {
  it("go to a gateway of their namespace that has proven that it is one", () => {
    expect(served(gateway(), ["kubernetes://pair", "kubernetes-gateway://gw/pair"])).toEqual([
      "kubernetes://pair tlsCertificate pair",
      "kubernetes-gateway://gw/pair tlsCertificate pair",
    ]);
  });

  it("go to nobody else", () => {
    expect(served(gateway(), ["kubernetes://pair"], false)).toEqual([]);
    expect(served(gateway("elsewhere"), ["kubernetes://pair", "kubernetes-gateway://gw/pair"])).toEqual([]);
    expect(served(proxy("gw/sidecar-1"), ["kubernetes://pair"])).toEqual([]);
  });

  it("give authorities of their own, or those that lie beside a certificate", () => {
    expect(served(gateway(), ["kubernetes://both-cacert", "kubernetes://apart-cacert"])).toEqual([
      "kubernetes://both-cacert validationContext both",
      "kubernetes://apart-cacert validationContext apart-cacert",
    ]);
  });

  it("that are not there, or hold something else, are left out", () => {
    const names = [
      "kubernetes://none",
      "kubernetes://other",
      "kubernetes://pair-cacert",
      "vault://pair",
      "pair",
      "default",
    ];
    expect(served(gateway(), names)).toEqual([]);
  });

  it("are not among what is shown", () => {
    expect(GENERATED_TYPES).not.toContain(TypeUrl.secret);
  });

  it.each([
    ["of that namespace", ["spiffe://cluster.local/ns/gw/sa/gateway"], 1],
    ["of another namespace", ["spiffe://cluster.local/ns/x/sa/gateway"], 0],
    ["of no identity", ["dns.example.com"], 0],
    ["who is nobody", null, 0],
  ])("go over a stream of a peer %s", (_what, names, count) => {
    const source = new PilotSource(push, "none", true);
    const identity = names === null ? null : { names };
    const node = { id: "router~10.0.0.1~gateway-1.gw~gw.svc.cluster.local", metadata: { NAMESPACE: "gw" } };
    const session = source.open(node as never, "c", { identity } as never);
    if (!("generate" in session)) throw new Error(session.message);
    expect(session.generate(TypeUrl.secret, new Set(["kubernetes://pair"]))?.size).toBe(count);
  });
});
