import type { MessageInitShape } from "@bufbuild/protobuf";
import {
  TlsParameters_TlsProtocol,
  type TlsParametersSchema,
} from "@mixerless/wire/envoy/extensions/transport_sockets/tls/v3/common";
import type { MeshConfigSpec } from "../../config/kinds/mesh-config.ts";

type Parameters = MessageInitShape<typeof TlsParametersSchema>;

/** What a mesh port accepts below TLS 1.3, best first [control-plane §6.8]. */
const MESH_CIPHERS = [
  "ECDHE-ECDSA-AES256-GCM-SHA384",
  "ECDHE-RSA-AES256-GCM-SHA384",
  "ECDHE-ECDSA-AES128-GCM-SHA256",
  "ECDHE-RSA-AES128-GCM-SHA256",
  "AES256-GCM-SHA384",
  "AES128-GCM-SHA256",
];

const { TLSv1_2, TLSv1_3 } = TlsParameters_TlsProtocol;

/** Of inbound mutual TLS. */
export function meshParameters({ meshMTLS }: MeshConfigSpec): Parameters {
  return {
    tlsMinimumProtocolVersion: meshMTLS.minProtocolVersion === "TLSV1_3" ? TLSv1_3 : TLSv1_2,
    tlsMaximumProtocolVersion: TLSv1_3,
    cipherSuites: MESH_CIPHERS,
  };
}

/** Of every client. */
export const CLIENT_PARAMETERS: Parameters = {
  tlsMinimumProtocolVersion: TLSv1_2,
  tlsMaximumProtocolVersion: TLSv1_3,
};
