import { isDeepStrictEqual } from "node:util";
import { type ChangedResources, TypeUrl } from "@mixerless/xds";
import type { ConfigObject, Kind, ObjectKey } from "../config/config-object.ts";
import type { ConfigSnapshot } from "../config/config-snapshot.ts";
import type { ProxyNode } from "../model/proxy-node.ts";
import { endpointNames } from "./endpoint-names.ts";
import { GENERATED_TYPES } from "./generate-resources.ts";

/** What a push may change, as far as the changed objects tell [control-plane §5.7]. */
export interface PushScope {
  /** Types that may differ for every proxy. Empty: none. */
  readonly everywhere: ChangedResources;
  /** Types for one proxy: everything, when its own workload is among what changed. */
  forProxy(proxy: ProxyNode): ChangedResources;
}

const { cluster, endpoint, listener, route } = TypeUrl;

/** Kinds that say all there is to say by their kind. What is not listed may change everything. */
const TYPES_OF_KIND: Partial<Record<Kind, readonly string[]>> = {
  Pod: [endpoint],
  EndpointSlice: [endpoint],
  WorkloadEntry: [endpoint],
  Namespace: [],
  Secret: [TypeUrl.secret, TypeUrl.extensionConfig],
  Gateway: [listener, route],
  DestinationRule: GENERATED_TYPES,
  AuthorizationPolicy: [listener],
  RequestAuthentication: [listener],
  PeerAuthentication: [cluster, endpoint, listener],
  Telemetry: [listener],
  WasmPlugin: [listener, TypeUrl.extensionConfig],
};

/** The types that differ between two snapshots at most. Content decides what is sent in the end; this saves the work of looking. */
export function pushScope(
  before: ConfigSnapshot,
  after: ConfigSnapshot,
  changed: ReadonlySet<ObjectKey>,
  /** Clusters hold the identities behind a service, by which clients check its servers: a new endpoint may bring one. */
  mutualTls: boolean,
): PushScope {
  const types = new Set<string>();
  const workloads = new Set<string>();
  for (const key of changed) {
    const old = before.get(key);
    const now = after.get(key);
    for (const type of typesOf(old, now, after)) types.add(type);
    for (const object of [old, now]) addWorkload(object, workloads);
  }
  if (mutualTls && types.has(endpoint)) types.add(cluster);
  const everywhere = changes(types);
  const names = endpointNames(before, after, changed);
  if (names !== undefined && everywhere.has(endpoint)) everywhere.set(endpoint, names);
  const everything = changes([...GENERATED_TYPES, TypeUrl.extensionConfig]);
  const isOwn = (proxy: ProxyNode) =>
    workloads.has(`${proxy.namespace}/${proxy.name}`) || proxy.ipAddresses.some((ip) => workloads.has(ip));
  return { everywhere, forProxy: (proxy) => (workloads.size > 0 && isOwn(proxy) ? everything : everywhere) };
}

function typesOf(
  old: ConfigObject | undefined,
  now: ConfigObject | undefined,
  after: ConfigSnapshot,
): readonly string[] {
  const kind = (now ?? old)?.kind;
  switch (kind) {
    case undefined:
      return [];
    case "EnvoyFilter":
      return [...patchedTypes(old), ...patchedTypes(now)];
    case "VirtualService":
      return hasTcp(old) || hasTcp(now) ? GENERATED_TYPES : [cluster, route];
    case "ServiceEntry":
      return onlyEndpointsDiffer(old, now) ? [endpoint] : GENERATED_TYPES;
    case "WorkloadEntry":
    case "Pod":
      // Endpoints of DNS clusters are part of the cluster.
      return hasSelectingDnsEntry(after) ? [cluster, endpoint] : [endpoint];
    default:
      return TYPES_OF_KIND[kind] ?? GENERATED_TYPES;
  }
}

/** What the patches of an EnvoyFilter may change. The routes of inbound chains stand in the listener. */
function patchedTypes(object: ConfigObject | undefined): readonly string[] {
  if (object?.kind !== "EnvoyFilter") return [];
  const { configPatches } = (object as ConfigObject<"EnvoyFilter">).spec;
  return configPatches.flatMap(({ applyTo }) => {
    switch (applyTo) {
      case "CLUSTER":
        return [cluster];
      case "EXTENSION_CONFIG":
        return [TypeUrl.extensionConfig];
      case "ROUTE_CONFIGURATION":
      case "VIRTUAL_HOST":
      case "HTTP_ROUTE":
        return [listener, route];
      case "BOOTSTRAP":
      case "INVALID":
        return [];
      default:
        return [listener];
    }
  });
}

function hasTcp(object: ConfigObject | undefined): boolean {
  if (object?.kind !== "VirtualService") return false;
  const { tcp, tls } = (object as ConfigObject<"VirtualService">).spec;
  return tcp.length > 0 || tls.length > 0;
}

function onlyEndpointsDiffer(old: ConfigObject | undefined, now: ConfigObject | undefined): boolean {
  if (old?.kind !== "ServiceEntry" || now?.kind !== "ServiceEntry") return false;
  const { endpoints: _1, ...a } = (old as ConfigObject<"ServiceEntry">).spec;
  const { endpoints: _2, ...b } = (now as ConfigObject<"ServiceEntry">).spec;
  const eds = a.resolution === "STATIC" && a.workloadSelector === undefined;
  return eds && isDeepStrictEqual(a, b) && isDeepStrictEqual(old.metadata, now.metadata);
}

function hasSelectingDnsEntry(snapshot: ConfigSnapshot): boolean {
  return snapshot
    .list("ServiceEntry")
    .some(({ spec }) => spec.workloadSelector !== undefined && spec.resolution.startsWith("DNS"));
}

/** A proxy finds its workload by name or by address, and the services that it serves by the addresses of endpoints. */
function addWorkload(object: ConfigObject | undefined, workloads: Set<string>): void {
  if (object === undefined) return;
  const addresses = addressesOf(object);
  if (addresses === undefined) return;
  workloads.add(`${object.namespace}/${object.name}`);
  for (const address of addresses) workloads.add(address);
}

function addressesOf(object: ConfigObject): readonly string[] | undefined {
  switch (object.kind) {
    case "Pod":
      return (object as ConfigObject<"Pod">).spec.podIPs;
    case "WorkloadEntry":
      return [(object as ConfigObject<"WorkloadEntry">).spec.address];
    case "EndpointSlice":
      return (object as ConfigObject<"EndpointSlice">).spec.endpoints.flatMap(({ addresses }) => addresses);
    case "ServiceEntry":
      return (object as ConfigObject<"ServiceEntry">).spec.endpoints.map(({ address }) => address);
    default:
      return undefined;
  }
}

function changes(types: Iterable<string>): Map<string, ReadonlySet<string> | "all"> {
  return new Map([...types].map((type) => [type, "all" as const]));
}
