import { create } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { AggregatedDiscoveryService } from "#generated/envoy/service/discovery/v3/ads_pb.js";
import { DiscoveryRequestSchema } from "#generated/envoy/service/discovery/v3/discovery_pb.js";
import { IstioCertificateService } from "#generated/istio/ca/certificate_service_pb.js";
import { grpcServiceDefinition } from "./grpc-service.ts";

describe("grpcServiceDefinition", () => {
  it("says path and streaming of every method", () => {
    const ads = grpcServiceDefinition(AggregatedDiscoveryService);
    expect(Object.keys(ads)).toEqual(["streamAggregatedResources", "deltaAggregatedResources"]);
    expect(ads.streamAggregatedResources).toMatchObject({
      path: "/envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources",
      requestStream: true,
      responseStream: true,
    });
    expect(grpcServiceDefinition(IstioCertificateService).createCertificate).toMatchObject({
      path: "/istio.v1.auth.IstioCertificateService/CreateCertificate",
      requestStream: false,
      responseStream: false,
    });
  });

  it("serialises and deserialises both directions", () => {
    const { streamAggregatedResources: method } = grpcServiceDefinition(AggregatedDiscoveryService);
    const request = create(DiscoveryRequestSchema, { typeUrl: "x", resourceNames: ["a"] });
    const bytes = method.requestSerialize(request);
    expect(Buffer.isBuffer(bytes)).toBe(true);
    expect(method.requestDeserialize(bytes)).toEqual(request);
    expect(method.responseDeserialize(Buffer.from([0x0a, 1, 0x37])).versionInfo).toBe("7");
    expect(() => method.requestDeserialize(Buffer.from([0x0a, 9]))).toThrow();
  });
});
