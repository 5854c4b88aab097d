import { unpackAnyAs } from "@mixerless/wire";
import type { Cluster } from "@mixerless/wire/envoy/config/cluster/v3/cluster";
import type { HttpProtocolOptions as CommonOptions } from "@mixerless/wire/envoy/config/core/v3/protocol";
import {
  type HttpProtocolOptions,
  HttpProtocolOptionsSchema,
} from "@mixerless/wire/envoy/extensions/upstreams/http/v3/http_protocol_options";
import { refuseUnsupported } from "../config/refuse-unsupported.ts";
import type { ConfigFault } from "../network/config-fault.ts";

/** The key under which a cluster says how it speaks HTTP; its older fields for the same are superseded by it. */
const KEY = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";

/** Limits of connections and streams, by whichever of the two ways the cluster says them. */
export function commonHttpOptions(message: Cluster, faults: ConfigFault[]): CommonOptions | undefined {
  const own = message.typedExtensionProtocolOptions;
  for (const name of Object.keys(own)) {
    if (name !== KEY) faults.push({ path: at(name), message: "is not supported by this data plane; remove it" });
  }
  const any = own[KEY];
  if (any === undefined) return message.commonHttpProtocolOptions;
  const unpacked = unpackAnyAs(any, HttpProtocolOptionsSchema);
  if (unpacked.message === undefined) {
    for (const fault of unpacked.faults) faults.push({ path: `${at(KEY)}.${fault.path}`, message: fault.message });
    return undefined;
  }
  const { message: options } = unpacked;
  for (const fault of [...refuseUnsupported(HttpProtocolOptionsSchema, options), ...refuseProtocol(options)]) {
    faults.push({ path: `${at(KEY)}.${fault.path}`, message: fault.message });
  }
  return options.commonHttpProtocolOptions;
}

/** With the client's protocol is HTTP/1.1 too, as no other is accepted from clients. */
function refuseProtocol({ upstreamProtocolOptions: protocol }: HttpProtocolOptions): ConfigFault[] {
  if (protocol.case === undefined)
    return [{ path: "upstreamProtocolOptions", message: "one of its kinds is required" }];
  if (protocol.case === "useDownstreamProtocolConfig") return [];
  const explicit = protocol.case === "explicitHttpConfig" ? protocol.value.protocolConfig.case : undefined;
  if (explicit === "httpProtocolOptions") return [];
  return [{ path: protocol.case, message: "upstreams are spoken to in HTTP/1.1 only; use httpProtocolOptions" }];
}

function at(name: string): string {
  return `typedExtensionProtocolOptions["${name}"]`;
}
