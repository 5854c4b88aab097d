import { describe, expect, it } from "vitest";
import { call, client, label, labelsByName, mutual, only, repeat, server } from "../testing/http-call.ts";
import { INBOUND, SERVER_PEER } from "../testing/mesh.ts";

describe("a peer", () => {
  it.each([
    [
      "recommended labels win",
      { "app.kubernetes.io/name": "a2", app: "a1", "app.kubernetes.io/version": "2", version: "1" },
      ["a2", "2"],
    ],
    ["short labels else", { app: "a1", version: "1" }, ["a1", "1"]],
    ["none", {}, ["unknown", "unknown"]],
  ])("app and version: %s", (_what, peerLabels, expected) => {
    const seen = labelsByName(server, { downstream: { LABELS: peerLabels as Record<string, string> } });
    expect([seen["source_app"], seen["source_version"]]).toEqual(expected);
  });

  it("local labels are the short ones only", () => {
    const metadata = { LABELS: { app: "a1", "app.kubernetes.io/name": "a2" } };
    expect(label("destination_app", { node: { metadata }, direction: INBOUND })).toBe("a1");
  });

  it("has no canonical service but by its label", () => {
    expect(label("source_canonical_service", server, { downstream: { WORKLOAD_NAME: "w" } })).toBe("unknown");
  });

  it("gives its namespace where the certificate has another shape", () => {
    const attributes = { connection: { uri_san_peer_certificate: "spiffe://x/ns/open" } };
    expect(label("source_workload_namespace", server, { downstream: { NAMESPACE: "n" }, attributes })).toBe("n");
  });

  it("gives its identity to a client without a certificate", () => {
    const upstream = { IDENTITY: "spiffe://d/ns/n1/sa/s" };
    expect(label("destination_principal", client, { upstream })).toBe("spiffe://d/ns/n1/sa/s");
    expect(label("destination_workload_namespace", client, { upstream })).toBe("n1");
    const attributes = { upstream: mutual("n2/sa/s", "l") };
    expect(label("destination_principal", client, { upstream, attributes })).toBe("spiffe://cluster.local/ns/n2/sa/s");
  });

  it("that is known silences the endpoint", () => {
    const attributes = {
      xds: { upstream_host_metadata: { filter_metadata: { istio: { workload: "other;other;other;other;other" } } } },
    };
    expect(label("destination_workload", client, { upstream: SERVER_PEER, attributes })).toBe("ratings-v1");
  });

  it("that is known does not make a series per endpoint", () => {
    const at = (workload: string) => ({
      upstream: SERVER_PEER,
      attributes: { xds: { upstream_host_metadata: { filter_metadata: { istio: { workload } } } } },
    });
    const host = call(client, at("a;b;c;d;e"));
    repeat(host, at("f;g;h;i;j"));
    expect(only(host, "istio_requests_total").value).toBe(2);
  });

  it("with an endpoint text of four parts stays unknown; an empty revision means latest", () => {
    const at = (workload: string) => ({
      attributes: { xds: { upstream_host_metadata: { filter_metadata: { istio: { workload } } } } },
    });
    expect(label("destination_workload", client, at("a;b;c;d"))).toBe("unknown");
    expect(label("destination_workload", client, at("a;b;c;;d"))).toBe("a");
    expect(label("destination_canonical_revision", client, at("a;b;c;;d"))).toBe("latest");
    expect(label("destination_cluster", client, at("a;b;c;;d;e"))).toBe("d");
  });
});

describe("principals of a server", () => {
  const tls = { connection: mutual("tls/sa/a", "tls/sa/b") };
  const state = (peer: string | null, local: string | null) => ({
    ...tls,
    filter_state: { "io.istio.peer_principal": peer, "io.istio.local_principal": local },
  });

  it.each([
    [
      "neither in filter state: the certificates",
      state(null, null),
      "spiffe://cluster.local/ns/tls/sa/a",
      "mutual_tls",
    ],
    ["both empty: the certificates", state("", ""), "spiffe://cluster.local/ns/tls/sa/a", "mutual_tls"],
    ["both: theirs", state("spiffe://d/ns/n/sa/p", "l"), "spiffe://d/ns/n/sa/p", "mutual_tls"],
    ["only the local one: no certificate counts", state(null, "l"), "unknown", "none"],
    ["only the peer's", state("p", null), "p", "none"],
  ])("%s", (_what, attributes, principal, policy) => {
    const seen = labelsByName(server, { attributes });
    expect([seen["source_principal"], seen["connection_security_policy"]]).toEqual([principal, policy]);
  });

  it("are not asked for by a client", () => {
    expect(label("destination_principal", client, { attributes: state("p", "l") })).toBe("unknown");
  });
});
