import { unpackTypedStruct } from "@mixerless/wire";
import type { TransportSocket } from "@mixerless/wire/envoy/config/core/v3/base";
import {
  DownstreamTlsContextSchema,
  UpstreamTlsContextSchema,
} from "@mixerless/wire/envoy/extensions/transport_sockets/tls/v3/tls";
import { addFaults, type ConfigFault, fieldPath } from "../network/config-fault.ts";
import { configuredType } from "../network/configured-type.ts";
import { compileCommonTls } from "./compile-tls.ts";
import type { DownstreamTlsConfig } from "./downstream-tls.ts";
import type { UpstreamTlsConfig } from "./upstream-tls.ts";

const RAW_BUFFER = "envoy.extensions.transport_sockets.raw_buffer.v3.RawBuffer";

/** A server must not choose what nothing behind it can speak: there is no HTTP/2 here yet. */
const UNSPOKEN: ReadonlySet<string> = new Set(["h2"]);

/** What a filter chain does with the bytes of a connection: null for nothing, or after adding faults. */
export function compileDownstreamSocket(
  socket: TransportSocket | undefined,
  path: string,
  faults: ConfigFault[],
): DownstreamTlsConfig | null {
  const config = typedConfig(socket, DownstreamTlsContextSchema.typeName, path, faults);
  if (config === null) return null;
  const at = fieldPath(path, "typedConfig");
  const decoded = unpackTypedStruct(config, DownstreamTlsContextSchema);
  if (decoded.faults !== undefined) {
    addFaults(faults, at, decoded.faults);
    return null;
  }
  const { message } = decoded;
  const tls = compileCommonTls(message.commonTlsContext, fieldPath(at, "commonTlsContext"), faults);
  if (tls.certificate === null)
    faults.push({ path: fieldPath(at, "commonTlsContext.tlsCertificates"), message: "a server needs a certificate" });
  const requireClientCertificate = message.requireClientCertificate ?? false;
  if (requireClientCertificate && tls.roots === null)
    faults.push({ path: fieldPath(at, "requireClientCertificate"), message: "needs a validation context with roots" });
  const { sessionTicketKeysType: keys } = message;
  if (keys.case === "sessionTicketKeys" || keys.case === "sessionTicketKeysSdsSecretConfig")
    faults.push({
      path: fieldPath(at, keys.case),
      message: "is not supported: each context makes ticket keys of its own",
    });
  const alpn = tls.alpn.filter((protocol) => !UNSPOKEN.has(protocol));
  const tickets = !(keys.case === "disableStatelessSessionResumption" && keys.value);
  return { tls: { ...tls, alpn }, requireClientCertificate, requireSni: message.requireSni ?? false, tickets };
}

/** What a cluster does with the bytes of a connection. */
export function compileUpstreamSocket(
  socket: TransportSocket | undefined,
  path: string,
  faults: ConfigFault[],
): UpstreamTlsConfig | null {
  const config = typedConfig(socket, UpstreamTlsContextSchema.typeName, path, faults);
  if (config === null) return null;
  const at = fieldPath(path, "typedConfig");
  const decoded = unpackTypedStruct(config, UpstreamTlsContextSchema);
  if (decoded.faults !== undefined) {
    addFaults(faults, at, decoded.faults);
    return null;
  }
  const { message } = decoded;
  const tls = compileCommonTls(message.commonTlsContext, fieldPath(at, "commonTlsContext"), faults);
  if (message.allowRenegotiation)
    faults.push({ path: fieldPath(at, "allowRenegotiation"), message: "is not supported" });
  return { tls, sni: message.sni };
}

function typedConfig(socket: TransportSocket | undefined, wanted: string, path: string, faults: ConfigFault[]) {
  if (socket === undefined) return null;
  const { configType, name } = socket;
  if (configType.case === undefined && name === "envoy.transport_sockets.raw_buffer") return null;
  const type = configType.case === "typedConfig" ? configuredType(configType.value) : "";
  if (type === RAW_BUFFER) return null;
  if (configType.case === "typedConfig" && type === wanted) return configType.value;
  faults.push({ path, message: `transport socket "${name}" of type ${type || "(none)"} is not supported here` });
  return null;
}
