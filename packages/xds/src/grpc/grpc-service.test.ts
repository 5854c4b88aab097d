import { create } from "@bufbuild/protobuf";
import { AggregatedDiscoveryService } from "@mixerless/wire/envoy/service/discovery/v3/ads";
import { DiscoveryRequestSchema } from "@mixerless/wire/envoy/service/discovery/v3/discovery";
import { IstioCertificateService } from "@mixerless/wire/istio/ca/certificate_service";
import { describe, expect, it } from "vitest";
import { grpcMethod } from "./grpc-service.ts";

describe("a gRPC method", () => {
  it("has the path and the streaming of its definition", () => {
    expect(grpcMethod(AggregatedDiscoveryService.method.streamAggregatedResources)).toMatchObject({
      path: "/envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources",
      requestStream: true,
      responseStream: true,
    });
    expect(grpcMethod(IstioCertificateService.method.createCertificate)).toMatchObject({
      path: "/istio.v1.auth.IstioCertificateService/CreateCertificate",
      requestStream: false,
      responseStream: false,
    });
  });

  it("codes messages both ways, and throws for bytes that are none", () => {
    const method = grpcMethod(AggregatedDiscoveryService.method.streamAggregatedResources);
    const request = create(DiscoveryRequestSchema, { typeUrl: "x", resourceNames: ["a"] });
    const bytes = method.requestSerialize(request);
    expect(Buffer.isBuffer(bytes)).toBe(true);
    expect(method.requestDeserialize(bytes)).toEqual(request);
    expect(method.responseDeserialize(Buffer.from([0x0a, 1, 0x37])).versionInfo).toBe("7");
    expect(() => method.requestDeserialize(Buffer.from([0x0a, 9]))).toThrow();
  });
});
