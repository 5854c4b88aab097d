import { anyPack } from "@bufbuild/protobuf/wkt";
import { decodeJson, formatFault } from "@mixerless/wire";
import { DownstreamTlsContextSchema } from "@mixerless/wire/envoy/extensions/transport_sockets/tls/v3/tls";
import { describe, expect, it } from "vitest";
import { compileDownstreamSocket } from "./transport-socket.ts";

function compile(json: object) {
  const { message, faults } = decodeJson(DownstreamTlsContextSchema, json);
  if (message === undefined) throw new Error(faults.map(formatFault).join("\n"));
  const found: { path: string; message: string }[] = [];
  const value = anyPack(DownstreamTlsContextSchema, message);
  const socket = { name: "envoy.transport_sockets.tls", configType: { case: "typedConfig", value } };
  const config = compileDownstreamSocket(socket as never, "s", found);
  return { config, faults: found.map(({ path }) => path) };
}

const CERTIFICATE = { tlsCertificateSdsSecretConfigs: [{ name: "default" }] };

describe("TLS of a filter chain", () => {
  it("offers nothing that cannot be spoken behind it", () => {
    const { config } = compile({ commonTlsContext: { ...CERTIFICATE, alpnProtocols: ["h2", "http/1.1"] } });
    expect(config?.tls.alpn).toEqual(["http/1.1"]);
  });

  it("needs a certificate, and authorities where clients must show theirs", () => {
    expect(compile({}).faults).toEqual(["s.typedConfig.commonTlsContext.tlsCertificates"]);
    expect(compile({ requireClientCertificate: true, commonTlsContext: CERTIFICATE }).faults).toEqual([
      "s.typedConfig.requireClientCertificate",
    ]);
  });

  it("gives no tickets where sessions must not be resumed without state", () => {
    const tickets = (fields: object) => compile({ ...fields, commonTlsContext: CERTIFICATE }).config?.tickets;
    expect(tickets({})).toBe(true);
    expect(tickets({ disableStatelessSessionResumption: false })).toBe(true);
    expect(tickets({ disableStatelessSessionResumption: true })).toBe(false);
  });

  it("takes hashes of certificates with colons and without", () => {
    const { config, faults } = compile({
      commonTlsContext: {
        ...CERTIFICATE,
        combinedValidationContext: {
          defaultValidationContext: { verifyCertificateHash: ["AB:".repeat(31) + "AB"], matchTypedSubjectAltNames: [] },
          validationContextSdsSecretConfig: { name: "ROOTCA" },
        },
      },
    });
    expect([faults, config?.tls.hashes]).toEqual([[], ["ab".repeat(32)]]);
  });
});
