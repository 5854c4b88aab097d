import { describe, expect, it } from "vitest";
import { type Manifest, object, pushOf } from "../../model/testing/push-of.ts";
import { tlsFaults } from "./tls-faults.ts";

const faults = (objects: readonly Manifest[], trustDomain: string | null = "cluster.local") =>
  tlsFaults(pushOf(objects), trustDomain).map(
    ({ code, object, path, line }) => `${code} ${object} ${path} ${line > 0}`,
  );

const server = (name: string, protocol: string, more: Manifest = {}) => ({
  port: { number: 8443, name, protocol },
  hosts: ["*"],
  ...more,
});
const https = { tls: { mode: "SIMPLE", credentialName: "cred" } };
const gateway = (name: string, servers: readonly Manifest[], selector: Manifest = { istio: "ingress" }) =>
  object("Gateway", name, { selector, servers });
const SECRET = { apiVersion: "v1", kind: "Secret", metadata: { name: "cred", namespace: "gw" } };

describe("TLS that does not come about as written", () => {
  it("is STRICT where nobody has a certificate", () => {
    const policies = [
      object("PeerAuthentication", "all", { mtls: { mode: "STRICT" } }),
      object("PeerAuthentication", "one", {
        selector: { matchLabels: { app: "a" } },
        portLevelMtls: { 80: { mode: "STRICT" }, 81: { mode: "DISABLE" } },
      }),
      object("PeerAuthentication", "istio-system/some", { mtls: { mode: "PERMISSIVE" } }),
    ];
    expect(faults(policies, null)).toEqual([
      "strict-without-authority PeerAuthentication default/all spec.mtls.mode true",
      "strict-without-authority PeerAuthentication default/one spec.portLevelMtls.80 true",
    ]);
    expect(faults(policies)).toEqual([]);
  });

  it("is a server that an older one leaves no room for", () => {
    const older = gateway("a", [server("http", "HTTP")]);
    const younger = gateway("b", [server("http", "HTTP"), server("tcp", "TCP"), server("https", "HTTPS", https)]);
    expect(faults([SECRET, older, younger])).toEqual([
      "server-left-out Gateway default/b spec.servers[1] true",
      "server-left-out Gateway default/b spec.servers[2] true",
    ]);
    expect(faults([older, gateway("b", [server("tcp", "TCP")], { istio: "egress" })])).toEqual([]);
  });

  it("is a trust domain that nobody has certificates of", () => {
    const mesh = object("MeshConfig", "istio-system/mesh", { trustDomain: "other.example" });
    expect(faults([mesh])).toEqual(["trust-domain-changed MeshConfig mesh spec.trustDomain true"]);
    expect(faults([], "was.example")).toEqual(["trust-domain-changed MeshConfig mesh spec.trustDomain false"]);
    expect(faults([mesh], "other.example")).toEqual([]);
  });

  it("is a credential that is not there", () => {
    const one = gateway("a", [server("https", "HTTPS", https)]);
    expect(faults([one])).toEqual(["missing-secret Gateway default/a spec.servers[0].tls true"]);
    expect(faults([SECRET, one])).toEqual([]);
  });
});
