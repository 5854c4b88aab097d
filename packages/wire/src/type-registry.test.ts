import { DurationSchema } from "@bufbuild/protobuf/wkt";
import { describe, expect, it } from "vitest";
import { ListenerSchema } from "#generated/envoy/config/listener/v3/listener_pb.js";
import { typeNameOfUrl, typeRegistry, typeUrlOf } from "./type-registry.ts";

describe("typeRegistry", () => {
  it("gives the very descriptors of the generated modules and of the library", () => {
    expect(typeRegistry.getMessage("envoy.config.listener.v3.Listener")).toBe(ListenerSchema);
    expect(typeRegistry.getMessage("google.protobuf.Duration")).toBe(DurationSchema);
  });

  it.each([
    "envoy.config.bootstrap.v3.Bootstrap",
    "envoy.config.cluster.v3.Cluster.EdsClusterConfig",
    "envoy.extensions.transport_sockets.tls.v3.Secret",
    "envoy.extensions.wasm.v3.PluginConfig",
    "envoy.service.status.v3.ClientStatusResponse",
    "envoy.admin.v3.ConfigDump",
    "udpa.type.v1.TypedStruct",
    "xds.type.v3.TypedStruct",
    "google.api.expr.v1alpha1.Expr",
    "google.rpc.Status",
    "stats.PluginConfig",
    "io.istio.http.peer_metadata.Config",
    "envoy.tcp.metadataexchange.config.MetadataExchange",
    "istio.envoy.config.filter.http.alpn.v2alpha1.FilterConfig",
    "istio.networking.nds.v1.NameTable",
    "istio.v1.auth.IstioCertificateRequest",
    "istio.v1.HealthInformation",
    "google.protobuf.StringValue",
  ])("knows %s", (name) => {
    expect(typeRegistry.getMessage(name)?.typeName).toBe(name);
  });

  it("keeps kinds apart and knows nothing else", () => {
    expect(typeRegistry.getMessage("envoy.config.core.v3.TrafficDirection")).toBeUndefined();
    expect(typeRegistry.getEnum("envoy.config.core.v3.TrafficDirection")?.kind).toBe("enum");
    expect(typeRegistry.getService("envoy.service.discovery.v3.AggregatedDiscoveryService")?.kind).toBe("service");
    expect(typeRegistry.getExtension("validate.rules")?.kind).toBe("extension");
    for (const name of ["", "no.Such", "__proto__", "constructor"]) expect(typeRegistry.get(name)).toBeUndefined();
  });

  it("converts between type names and URLs", () => {
    expect(typeUrlOf(ListenerSchema)).toBe("type.googleapis.com/envoy.config.listener.v3.Listener");
    expect(typeNameOfUrl("a/b/c.D")).toBe("c.D");
    expect(typeNameOfUrl("c.D")).toBe("c.D");
  });
});
