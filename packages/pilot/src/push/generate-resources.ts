import type { DescMessage, Message } from "@bufbuild/protobuf";
import { bytesHash, packAny } from "@mixerless/wire";
import { ClusterSchema } from "@mixerless/wire/envoy/config/cluster/v3/cluster";
import { TypedExtensionConfigSchema } from "@mixerless/wire/envoy/config/core/v3/extension";
import { ClusterLoadAssignmentSchema } from "@mixerless/wire/envoy/config/endpoint/v3/endpoint";
import { ListenerSchema } from "@mixerless/wire/envoy/config/listener/v3/listener";
import { RouteConfigurationSchema } from "@mixerless/wire/envoy/config/route/v3/route";
import { SecretSchema } from "@mixerless/wire/envoy/extensions/transport_sockets/tls/v3/secret";
import { type GeneratedResource, type GeneratedResources, TypeUrl } from "@mixerless/xds";
import { extensionConfigs, patchClusters, patchListeners, patchRoutes } from "../envoy-filters/patched-resources.ts";
import { generateClusters } from "../generators/clusters/clusters.ts";
import { endpointAssignments } from "../generators/endpoints.ts";
import { wasmResources } from "../generators/extensions/wasm-resources.ts";
import type { Generated } from "../generators/generated.ts";
import type { GeneratorInput } from "../generators/generator-input.ts";
import { grpcClusters, grpcListeners, grpcRoutes, isGrpcClient } from "../generators/grpc/grpc-resources.ts";
import { generateListeners } from "../generators/listeners/listeners.ts";
import { gatewayRoutes } from "../generators/routes/gateway-routes.ts";
import { outboundRoutes } from "../generators/routes/outbound-routes.ts";
import { secrets } from "../generators/tls/secrets.ts";

export type WantedNames = ReadonlySet<string> | "wildcard";

/** The types that are generated and shown, in the order in which a proxy must learn them; secrets are never shown. */
export const GENERATED_TYPES: readonly string[] = [
  TypeUrl.cluster,
  TypeUrl.endpoint,
  TypeUrl.listener,
  TypeUrl.route,
  TypeUrl.extensionConfig,
];

/** The resources of one type as messages, with their provenance; undefined for a type that is not served. */
export function generate(input: GeneratorInput, typeUrl: string, names: WantedNames): readonly Generated[] | undefined {
  if (isGrpcClient(input)) return generateForGrpc(input, typeUrl, names);
  switch (typeUrl) {
    case TypeUrl.cluster:
      return only(patchClusters(input, generateClusters(input)), names);
    case TypeUrl.endpoint:
      return endpointAssignments(input, names === "wildcard" ? [] : names);
    case TypeUrl.listener:
      return only(patchListeners(input, generateListeners(input)), names);
    case TypeUrl.route: {
      const wanted = names === "wildcard" ? [] : names;
      const routes = input.proxy.type === "router" ? gatewayRoutes(input, wanted) : outboundRoutes(input, wanted);
      return patchRoutes(input, routes);
    }
    case TypeUrl.extensionConfig:
      return extensions(input, names === "wildcard" ? new Set() : names);
    case TypeUrl.secret:
      return secrets(input, names === "wildcard" ? [] : names);
    default:
      return undefined;
  }
}

/** Of EnvoyFilters and of WasmPlugins; of two by one name the EnvoyFilter's. */
function extensions(input: GeneratorInput, names: ReadonlySet<string>): readonly Generated[] {
  const patched = extensionConfigs(input, names);
  const taken = new Set(patched.map(({ name }) => name));
  return [
    ...patched,
    ...wasmResources(
      input,
      [...names].filter((name) => !taken.has(name)),
    ),
  ];
}

/** A gRPC client names everything that it wants. */
function generateForGrpc(input: GeneratorInput, typeUrl: string, names: WantedNames): readonly Generated[] | undefined {
  const wanted = names === "wildcard" ? [] : names;
  switch (typeUrl) {
    case TypeUrl.cluster:
      return grpcClusters(input, wanted);
    case TypeUrl.endpoint:
      return endpointAssignments(input, wanted);
    case TypeUrl.listener:
      return grpcListeners(input, wanted);
    case TypeUrl.route:
      return grpcRoutes(input, wanted);
    default:
      return undefined;
  }
}

/** As xDS sends them: bytes, and a version that changes when and only when the bytes do. */
export class ResourceEncoder {
  /** What several proxies share is encoded once. */
  readonly #encoded = new WeakMap<Generated, GeneratedResource>();
  readonly #lists = new WeakMap<readonly Generated[], GeneratedResources>();

  encode(typeUrl: string, generated: readonly Generated[]): GeneratedResources {
    let resources = this.#lists.get(generated);
    if (resources === undefined) {
      resources = this.#encodeList(typeUrl, generated);
      this.#lists.set(generated, resources);
    }
    return resources;
  }

  #encodeList(typeUrl: string, generated: readonly Generated[]): GeneratedResources {
    const schema = SCHEMA_OF_TYPE[typeUrl];
    const resources = new Map<string, GeneratedResource>();
    if (schema === undefined) return resources;
    for (const entry of generated) {
      let resource = this.#encoded.get(entry);
      if (resource === undefined) {
        const any = packAny(schema, entry.message as Message);
        resource = { version: bytesHash(any.value), any };
        this.#encoded.set(entry, resource);
      }
      resources.set(entry.name, resource);
    }
    return resources;
  }
}

/** The message type behind each generated type URL. */
export const SCHEMA_OF_TYPE: Readonly<Record<string, DescMessage>> = {
  [TypeUrl.cluster]: ClusterSchema,
  [TypeUrl.endpoint]: ClusterLoadAssignmentSchema,
  [TypeUrl.listener]: ListenerSchema,
  [TypeUrl.route]: RouteConfigurationSchema,
  [TypeUrl.secret]: SecretSchema,
  [TypeUrl.extensionConfig]: TypedExtensionConfigSchema,
};

function only<T extends Generated>(generated: readonly T[], names: WantedNames): readonly T[] {
  return names === "wildcard" ? generated : generated.filter(({ name }) => names.has(name));
}
