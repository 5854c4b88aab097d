import type { DescMessage } from "@bufbuild/protobuf";
import { ClusterSchema } from "@mixerless/wire/envoy/config/cluster/v3/cluster";
import { TypedExtensionConfigSchema } from "@mixerless/wire/envoy/config/core/v3/extension";
import { ClusterLoadAssignmentSchema } from "@mixerless/wire/envoy/config/endpoint/v3/endpoint";
import { ListenerSchema } from "@mixerless/wire/envoy/config/listener/v3/listener";
import { RouteConfigurationSchema } from "@mixerless/wire/envoy/config/route/v3/route";

/** The resources that a proxy is configured with, in the order in which they must be known. */
export type ResourceKind = "cluster" | "endpoints" | "listener" | "routes" | "extension";

const PREFIX = "type.googleapis.com/";

export const TYPE_URLS: Readonly<Record<ResourceKind, string>> = {
  cluster: PREFIX + ClusterSchema.typeName,
  endpoints: PREFIX + ClusterLoadAssignmentSchema.typeName,
  listener: PREFIX + ListenerSchema.typeName,
  routes: PREFIX + RouteConfigurationSchema.typeName,
  extension: PREFIX + TypedExtensionConfigSchema.typeName,
};

export const SCHEMAS: Readonly<Record<ResourceKind, DescMessage>> = {
  cluster: ClusterSchema,
  endpoints: ClusterLoadAssignmentSchema,
  listener: ListenerSchema,
  routes: RouteConfigurationSchema,
  extension: TypedExtensionConfigSchema,
};

/** Null for types that this data plane does not take. */
export function kindOf(typeUrl: string): ResourceKind | null {
  for (const kind of Object.keys(TYPE_URLS) as ResourceKind[]) if (TYPE_URLS[kind] === typeUrl) return kind;
  return null;
}
