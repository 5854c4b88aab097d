// The value of a patch as the message that its applyTo is about [control-plane §1.9].
import type { DescMessage, Message } from "@bufbuild/protobuf";
import { decodeJson, type Fault } from "@mixerless/wire";
import { BootstrapSchema } from "@mixerless/wire/envoy/config/bootstrap/v3/bootstrap";
import { ClusterSchema } from "@mixerless/wire/envoy/config/cluster/v3/cluster";
import { TypedExtensionConfigSchema } from "@mixerless/wire/envoy/config/core/v3/extension";
import { ListenerSchema } from "@mixerless/wire/envoy/config/listener/v3/listener";
import {
  FilterChainSchema,
  FilterSchema,
  ListenerFilterSchema,
} from "@mixerless/wire/envoy/config/listener/v3/listener_components";
import { RouteConfigurationSchema } from "@mixerless/wire/envoy/config/route/v3/route";
import { RouteSchema, VirtualHostSchema } from "@mixerless/wire/envoy/config/route/v3/route_components";
import { HttpFilterSchema } from "@mixerless/wire/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager";
import type { Cursor } from "../schema/cursor.ts";
import type { ApplyTo } from "./policies.ts";

const SCHEMAS: Readonly<Record<Exclude<ApplyTo, "INVALID">, DescMessage>> = {
  LISTENER: ListenerSchema,
  FILTER_CHAIN: FilterChainSchema,
  LISTENER_FILTER: ListenerFilterSchema,
  NETWORK_FILTER: FilterSchema,
  HTTP_FILTER: HttpFilterSchema,
  ROUTE_CONFIGURATION: RouteConfigurationSchema,
  VIRTUAL_HOST: VirtualHostSchema,
  HTTP_ROUTE: RouteSchema,
  CLUSTER: ClusterSchema,
  EXTENSION_CONFIG: TypedExtensionConfigSchema,
  BOOTSTRAP: BootstrapSchema,
};

/** Undefined when it cannot be read; that was reported. Unknown fields are left out, with a warning. */
export function patchMessage(applyTo: ApplyTo, value: unknown, at: Cursor): Message | undefined {
  if (applyTo === "INVALID") return undefined;
  const schema = SCHEMAS[applyTo];
  const decoded = decodeJson(schema, value, { unknownFields: "warning" });
  for (const fault of decoded.faults ?? [])
    placeOf(fault, at).error("bad-patch-value", `Envoy filter: ${sentence(fault)}`, cureOf(fault, schema));
  for (const fault of decoded.faults === undefined ? decoded.warnings : [])
    placeOf(fault, at).warn("unknown-field", `${sentence(fault)} It has no effect.`, "Correct or remove the field.");
  return decoded.message;
}

function sentence({ message }: Fault): string {
  return /[.?]$/.test(message) ? message : `${message}.`;
}

function placeOf({ keys }: Fault, at: Cursor): Cursor {
  return keys.reduce((cursor, key) => cursor.at(key), at);
}

function cureOf({ code, message }: Fault, schema: DescMessage): string {
  // Types of the API before v3 have no package of that name.
  if (code === "WIRE_UNKNOWN_TYPE")
    return /\.v2\b|\.v2alpha\d*\b/.test(message)
      ? "Referenced type unknown (hint: try using the v3 XDS API)."
      : 'Correct "@type", or use a udpa.type.v1.TypedStruct for a type that only the proxy knows.';
  return `Write the fields as ${schema.typeName} has them.`;
}
