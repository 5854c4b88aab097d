import { describe, expect, it } from "vitest";
import { client, labels, labelsByName, mutual, server, service } from "../testing/http-call.ts";
import { CLIENT_PEER, INBOUND, OUTBOUND, SERVER, SERVER_PEER, SERVICE } from "../testing/mesh.ts";

describe("labels of HTTP metrics, in upstream's order", () => {
  it("destination, peer known, plaintext", () => {
    expect(labels(server, { downstream: CLIENT_PEER, attributes: service })).toEqual([
      ["reporter", "destination"],
      ["source_workload", "productpage-v1"],
      ["source_canonical_service", "productpage-v1"],
      ["source_canonical_revision", "version-1"],
      ["source_workload_namespace", "default"],
      ["source_principal", "unknown"],
      ["source_app", "productpage"],
      ["source_version", "v1"],
      ["source_cluster", "client-cluster"],
      ["destination_workload", "ratings-v1"],
      ["destination_workload_namespace", "default"],
      ["destination_principal", "unknown"],
      ["destination_app", "ratings"],
      ["destination_version", "v1"],
      ["destination_service", "server.default.svc.cluster.local"],
      ["destination_canonical_service", "ratings"],
      ["destination_canonical_revision", "version-1"],
      ["destination_service_name", "server"],
      ["destination_service_namespace", "default"],
      ["destination_cluster", "server-cluster"],
      ["request_protocol", "http"],
      ["response_code", "200"],
      ["grpc_response_status", ""],
      ["response_flags", "-"],
      ["connection_security_policy", "none"],
    ]);
  });

  it("source, peer known, mutual TLS", () => {
    const attributes = { ...service, upstream: mutual("prod/sa/ratings", "shop/sa/productpage") };
    expect(labels(client, { upstream: SERVER_PEER, attributes })).toEqual([
      ["reporter", "source"],
      ["source_workload", "productpage-v1"],
      ["source_canonical_service", "productpage-v1"],
      ["source_canonical_revision", "version-1"],
      ["source_workload_namespace", "default"],
      ["source_principal", "spiffe://cluster.local/ns/shop/sa/productpage"],
      ["source_app", "productpage"],
      ["source_version", "v1"],
      ["source_cluster", "client-cluster"],
      ["destination_workload", "ratings-v1"],
      ["destination_workload_namespace", "prod"],
      ["destination_principal", "spiffe://cluster.local/ns/prod/sa/ratings"],
      ["destination_app", "ratings"],
      ["destination_version", "v1"],
      ["destination_service", "server.default.svc.cluster.local"],
      ["destination_canonical_service", "ratings"],
      ["destination_canonical_revision", "version-1"],
      ["destination_service_name", "server"],
      ["destination_service_namespace", "default"],
      ["destination_cluster", "server-cluster"],
      ["request_protocol", "http"],
      ["response_code", "200"],
      ["grpc_response_status", ""],
      ["response_flags", "-"],
      ["connection_security_policy", "unknown"],
    ]);
  });

  it("destination, client outside the mesh", () => {
    const seen = labelsByName(server, { attributes: service });
    expect(seen).toMatchObject({
      source_workload: "unknown",
      source_canonical_service: "unknown",
      source_canonical_revision: "latest",
      source_workload_namespace: "unknown",
      source_principal: "unknown",
      source_app: "unknown",
      source_version: "unknown",
      source_cluster: "unknown",
      destination_workload: "ratings-v1",
      connection_security_policy: "none",
    });
  });

  it("destination, peer unknown but with a certificate: its namespace is known", () => {
    const attributes = { connection: mutual("shop/sa/a", "default/sa/b") };
    expect(labelsByName(server, { attributes })).toMatchObject({
      source_workload: "unknown",
      source_workload_namespace: "shop",
      source_principal: "spiffe://cluster.local/ns/shop/sa/a",
      destination_workload_namespace: "default",
      destination_principal: "spiffe://cluster.local/ns/default/sa/b",
      connection_security_policy: "mutual_tls",
    });
  });

  it("source, server outside the mesh: what the endpoint says", () => {
    const attributes = {
      xds: {
        cluster_metadata: SERVICE,
        upstream_host_metadata: { filter_metadata: { istio: { workload: "ratings-v1;shop;ratings;version-1;c1" } } },
      },
    };
    expect(labelsByName(client, { attributes })).toMatchObject({
      destination_workload: "ratings-v1",
      destination_workload_namespace: "shop",
      destination_principal: "unknown",
      destination_app: "unknown",
      destination_version: "unknown",
      destination_canonical_service: "ratings",
      destination_canonical_revision: "version-1",
      destination_service_namespace: "default",
      destination_cluster: "c1",
    });
  });

  it("source, nothing known about the server", () => {
    expect(labelsByName({ ...client, stats: { disable_host_header_fallback: true } })).toMatchObject({
      destination_workload: "unknown",
      destination_workload_namespace: "unknown",
      destination_principal: "unknown",
      destination_app: "unknown",
      destination_version: "unknown",
      destination_service: "unknown",
      destination_canonical_service: "unknown",
      destination_canonical_revision: "latest",
      destination_service_name: "unknown",
      destination_service_namespace: "unknown",
      destination_cluster: "unknown",
    });
  });

  it("what the own node does not say is empty, not unknown", () => {
    expect(labelsByName({ direction: INBOUND }, { headers: [] })).toMatchObject({
      destination_workload: "",
      destination_workload_namespace: "",
      destination_app: "",
      destination_version: "",
      destination_canonical_service: "",
      destination_canonical_revision: "",
      destination_cluster: "",
      destination_service: "unknown",
      destination_service_name: "unknown",
      destination_service_namespace: "",
    });
    expect(labelsByName({ direction: OUTBOUND })).toMatchObject({
      source_workload: "",
      source_canonical_service: "",
      source_canonical_revision: "",
      source_workload_namespace: "",
      source_app: "",
      source_version: "",
      source_cluster: "",
    });
  });

  it("waypoint: the source by its headers, the destination by the upstream peer", () => {
    const options = { node: SERVER, stats: { reporter: "SERVER_GATEWAY" } };
    const identity = "spiffe://cluster.local/ns/default/sa/ratings";
    const upstream = { ...SERVER_PEER, IDENTITY: identity };
    const seen = labelsByName(options, { downstream: CLIENT_PEER, upstream, attributes: service });
    expect(seen).toMatchObject({
      reporter: "waypoint",
      source_workload: "productpage-v1",
      source_canonical_revision: "version-1",
      destination_workload: "ratings-v1",
      destination_workload_namespace: "default",
      destination_principal: identity,
      destination_app: "ratings",
      destination_service: "server.default.svc.cluster.local",
      destination_service_name: "server",
      destination_service_namespace: "default",
      destination_cluster: "server-cluster",
      connection_security_policy: "none",
    });
  });

  it("waypoint, backend without metadata: revision and service namespace unknown too", () => {
    const seen = labelsByName({ node: SERVER, stats: { reporter: "SERVER_GATEWAY" } }, { headers: [] });
    expect(seen).toMatchObject({
      source_canonical_revision: "latest",
      destination_workload: "unknown",
      destination_workload_namespace: "unknown",
      destination_principal: "unknown",
      destination_canonical_service: "unknown",
      destination_canonical_revision: "unknown",
      destination_service: "unknown",
      destination_service_name: "unknown",
      destination_service_namespace: "unknown",
      destination_cluster: "unknown",
    });
  });

  it("waypoint behind CONNECT: mutual TLS by the certificate", () => {
    const attributes = { connection: mutual("shop/sa/a", "default/sa/w") };
    const options = { node: SERVER, stats: { reporter: "SERVER_GATEWAY" } };
    expect(labelsByName(options, { downstream: { WORKLOAD_NAME: "w" }, attributes })).toMatchObject({
      source_workload: "w",
      source_app: "unknown",
      source_canonical_revision: "latest",
      source_principal: "spiffe://cluster.local/ns/shop/sa/a",
      connection_security_policy: "mutual_tls",
    });
  });
});
