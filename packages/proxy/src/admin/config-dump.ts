import type { DescMessage, JsonObject, Message } from "@bufbuild/protobuf";
import { toJson, walkFields } from "@mixerless/wire";
import { type Bootstrap, BootstrapSchema } from "@mixerless/wire/envoy/config/bootstrap/v3/bootstrap";
import type { ConfigRegistry, RefusedResource, RegisteredResource } from "../config/config-registry.ts";
import { type ResourceKind, SCHEMAS, TYPE_URLS } from "../config/resource-kinds.ts";

const MANAGER = "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager";

/** The sections of Envoy's `/config_dump` (`envoy.admin.v3.ConfigDump`) by the names of their types. */
export function configSections(
  bootstrap: Bootstrap,
  registry: ConfigRegistry,
  startTime: number,
): Readonly<Record<string, () => JsonObject>> {
  return {
    BootstrapConfigDump: () => ({ bootstrap: json(BootstrapSchema, bootstrap), last_updated: timestamp(startTime) }),
    ClustersConfigDump: () => clusters(registry),
    EcdsConfigDump: () => filterConfigs(registry),
    EndpointsConfigDump: () => endpoints(registry),
    ListenersConfigDump: () => listeners(registry),
    RoutesConfigDump: () => routes(registry),
  };
}

function clusters(registry: ConfigRegistry): JsonObject {
  const all = registry.resources("cluster");
  return {
    version_info: registry.version("cluster"),
    static_clusters: all
      .filter((entry) => !entry.dynamic)
      .map((entry) => ({ cluster: typed("cluster", entry), last_updated: timestamp(entry.updated) })),
    dynamic_active_clusters: all.filter((entry) => entry.dynamic).map((entry) => dynamic("cluster", "cluster", entry)),
    dynamic_warming_clusters: registry.refusals("cluster").map(errorState),
  };
}

function listeners(registry: ConfigRegistry): JsonObject {
  const all = registry.resources("listener");
  const refused = new Map(registry.refusals("listener").map((entry) => [entry.name, entry]));
  const dynamicListeners: JsonObject[] = all
    .filter((entry) => entry.dynamic)
    .map((entry) => {
      const failed = refused.get(entry.name);
      refused.delete(entry.name);
      return {
        name: entry.name,
        active_state: dynamic("listener", "listener", entry),
        ...(failed === undefined ? {} : errorState(failed)),
      };
    });
  for (const failed of refused.values()) dynamicListeners.push({ name: failed.name, ...errorState(failed) });
  return {
    version_info: registry.version("listener"),
    static_listeners: all
      .filter((entry) => !entry.dynamic)
      .map((entry) => ({ listener: typed("listener", entry), last_updated: timestamp(entry.updated) })),
    dynamic_listeners: dynamicListeners,
  };
}

function routes(registry: ConfigRegistry): JsonObject {
  const refused = new Map(registry.refusals("routes").map((entry) => [entry.name, entry]));
  return {
    static_route_configs: inlineRoutes(registry),
    dynamic_route_configs: registry.resources("routes").map((entry) => {
      const failed = refused.get(entry.name);
      return { ...dynamic("routes", "route_config", entry), ...(failed === undefined ? {} : errorState(failed)) };
    }),
  };
}

/** The tables that listeners carry inside. */
function inlineRoutes(registry: ConfigRegistry): JsonObject[] {
  const found: JsonObject[] = [];
  for (const { message, updated } of registry.resources("listener")) {
    walkFields(SCHEMAS.listener, message as never, {
      field: ({ schema, field, value }) => {
        if (schema.typeName !== MANAGER || field.name !== "route_config") return true;
        const config = { "@type": TYPE_URLS.routes, ...json(SCHEMAS.routes, value as Message) };
        found.push({ route_config: config, last_updated: timestamp(updated) });
        return false;
      },
    });
  }
  return found;
}

/** Filter configurations that come apart from their listeners. */
function filterConfigs(registry: ConfigRegistry): JsonObject {
  const refused = new Map(registry.refusals("extension").map((entry) => [entry.name, entry]));
  const all: JsonObject[] = registry.resources("extension").map((entry) => {
    const failed = refused.get(entry.name);
    refused.delete(entry.name);
    return { ...dynamic("extension", "ecds_filter", entry), ...(failed === undefined ? {} : errorState(failed)) };
  });
  return { ecds_filters: [...all, ...[...refused.values()].map(errorState)] };
}

function endpoints(registry: ConfigRegistry): JsonObject {
  return {
    dynamic_endpoint_configs: registry
      .resources("endpoints")
      .map((entry) => dynamic("endpoints", "endpoint_config", entry)),
  };
}

function dynamic(kind: ResourceKind, field: string, entry: RegisteredResource): JsonObject {
  return { version_info: entry.version, [field]: typed(kind, entry), last_updated: timestamp(entry.updated) };
}

function errorState(failed: RefusedResource): JsonObject {
  return {
    error_state: {
      details: failed.details,
      version_info: failed.version,
      last_update_attempt: timestamp(failed.attempted),
    },
  };
}

function typed(kind: ResourceKind, entry: RegisteredResource): JsonObject {
  return { "@type": TYPE_URLS[kind], ...json(SCHEMAS[kind], entry.message) };
}

function json(schema: DescMessage, message: Message): JsonObject {
  return toJson(schema, message as never, { declaredNames: true }) as JsonObject;
}

function timestamp(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}
