// EnvoyFilter patches on generated resources, between the generators and xDS. What no patch touches passes as it is,
// so that proxies go on sharing it.
import { clone, type DescMessage, type Message, type MessageShape } from "@bufbuild/protobuf";
import { type Cluster, ClusterSchema } from "@mixerless/wire/envoy/config/cluster/v3/cluster";
import { TrafficDirection } from "@mixerless/wire/envoy/config/core/v3/base";
import { type TypedExtensionConfig, TypedExtensionConfigSchema } from "@mixerless/wire/envoy/config/core/v3/extension";
import { type Listener, ListenerSchema } from "@mixerless/wire/envoy/config/listener/v3/listener";
import { type RouteConfiguration, RouteConfigurationSchema } from "@mixerless/wire/envoy/config/route/v3/route";
import type { ApplyTo } from "../config/kinds/policies.ts";
import { servicesAt } from "../generators/clusters/inbound-clusters.ts";
import type { Generated } from "../generators/generated.ts";
import type { GeneratorInput } from "../generators/generator-input.ts";
import { parseClusterName } from "../generators/names.ts";
import { applicablePatches, type PatchSet } from "./applicable-patches.ts";
import { missOfListener } from "./listener-match.ts";
import { type GenerationContext, isAddition, type Patch, type PatchLog, patchValue } from "./patch.ts";
import { missOfCluster, patchCluster } from "./patch-cluster.ts";
import { patchListener } from "./patch-listener.ts";
import { patchedRoutes } from "./patched-routes.ts";
import { provenanceOf, TouchLog } from "./touch-log.ts";

const LISTENER_CLASS = ["LISTENER", "FILTER_CHAIN", "LISTENER_FILTER", "NETWORK_FILTER", "HTTP_FILTER"] as const;
const ROUTE_CLASS = ["ROUTE_CONFIGURATION", "VIRTUAL_HOST", "HTTP_ROUTE"] as const;

type Patched<M extends Message> = { readonly resource: Generated<M> | null };

/** The clusters with their patches. */
export function patchClusters(
  input: GeneratorInput,
  clusters: readonly Generated<Cluster>[],
): readonly Generated<Cluster>[] {
  const set = applicablePatches(input);
  if (set === null || !concerns(set, ["CLUSTER"])) return clusters;
  return once(input, set, clusters, () => {
    const patched = clusters.flatMap((cluster) => patchedCluster(input, set, cluster).resource ?? []);
    return withAdditions(input, set, "CLUSTER", ClusterSchema, patched);
  });
}

function patchedCluster(input: GeneratorInput, set: PatchSet, cluster: Generated<Cluster>): Patched<Cluster> {
  const context = contextOf(input, cluster.name.startsWith("inbound|"));
  const hosts = context === "SIDECAR_INBOUND" ? hostsBehind(input, cluster.name) : [];
  const patches = set.of("CLUSTER", context);
  const isMeant = patches.some((patch) => missOfCluster(patch, cluster.message, hosts) === null);
  if (!isMeant && input.patchLog === undefined) return { resource: cluster };
  return once(input, set, cluster, () =>
    patched(input, cluster, ClusterSchema, "cluster", (message, log) =>
      patchCluster({ context, patches: set, log }, message, hosts),
    ),
  );
}

/** The services behind an inbound cluster, whose name holds none. */
function hostsBehind(input: GeneratorInput, name: string): string[] {
  const port = parseClusterName(name)?.port;
  const ingress = (input.push.sidecarScope(input.proxy).ingress ?? []).find((entry) => entry.port.number === port);
  return ingress === undefined ? [] : servicesAt(input, ingress).map(({ service }) => service.hostname);
}

/** The listeners with their patches, and those that patches bring. */
export function patchListeners(
  input: GeneratorInput,
  listeners: readonly Generated<Listener>[],
): readonly Generated<Listener>[] {
  const set = applicablePatches(input);
  if (set === null || !concerns(set, [...LISTENER_CLASS, ...ROUTE_CLASS])) return listeners;
  const patched = listeners.flatMap((listener) => patchedListener(input, set, listener).resource ?? []);
  return withAdditions(input, set, "LISTENER", ListenerSchema, patched);
}

function patchedListener(input: GeneratorInput, set: PatchSet, listener: Generated<Listener>): Patched<Listener> {
  const context = contextOf(input, listener.message.trafficDirection === TrafficDirection.INBOUND);
  const ofRoutes = context === "SIDECAR_INBOUND" && ROUTE_CLASS.some((applyTo) => set.of(applyTo, context).length > 0);
  const isMeant = LISTENER_CLASS.some((applyTo) =>
    set.of(applyTo, context).some((patch) => missOfListener(patch, listener.message) === null),
  );
  if (!ofRoutes && !isMeant && input.patchLog === undefined) return { resource: listener };
  return once(input, set, listener, () =>
    patched(input, listener, ListenerSchema, "listener", (message, log) => {
      const had = message.filterChains.length > 0 || message.defaultFilterChain !== undefined;
      if (!patchListener({ context, patches: set, log }, message)) return false;
      // A listener that has lost all its chains takes no connection, and every data plane refuses it.
      return !had || message.filterChains.length > 0 || message.defaultFilterChain !== undefined;
    }),
  );
}

/** The route configurations with their patches. */
export function patchRoutes(
  input: GeneratorInput,
  routes: readonly Generated<RouteConfiguration>[],
): readonly Generated<RouteConfiguration>[] {
  const set = applicablePatches(input);
  if (set === null || !concerns(set, ROUTE_CLASS)) return routes;
  const context = contextOf(input, false);
  return routes.map((entry) =>
    once(input, set, entry, () => {
      const log = new TouchLog(input.patchLog);
      return patchedRoutes({ context, patches: set, log }, entry, log, clone(RouteConfigurationSchema, entry.message));
    }),
  );
}

/** The extensions that patches define, as far as the proxy asks for them. */
export function extensionConfigs(
  input: GeneratorInput,
  names: ReadonlySet<string>,
): readonly Generated<TypedExtensionConfig>[] {
  const found = new Map<string, Generated<TypedExtensionConfig>>();
  // Neither context nor listener counts: whoever names an extension gets it.
  for (const patch of applicablePatches(input)?.all ?? []) {
    if (patch.applyTo !== "EXTENSION_CONFIG" || !isAddition(patch)) continue;
    const message = patchValue(patch, TypedExtensionConfigSchema);
    if (message === undefined || !names.has(message.name) || found.has(message.name)) continue;
    found.set(message.name, { name: message.name, message, provenance: [provenanceOf(patch)] });
    input.patchLog?.hit(patch, `extension ${message.name}`);
  }
  return [...found.values()];
}

function contextOf({ proxy }: GeneratorInput, inbound: boolean): GenerationContext {
  if (proxy.type === "router") return "GATEWAY";
  return inbound ? "SIDECAR_INBOUND" : "SIDECAR_OUTBOUND";
}

function concerns(set: PatchSet, kinds: readonly ApplyTo[]): boolean {
  return set.all.some(({ applyTo }) => kinds.includes(applyTo));
}

/** Not from memory when somebody listens, who would hear nothing. */
function once<T extends object>(input: GeneratorInput, set: PatchSet, source: object, make: () => T): T {
  return input.patchLog === undefined ? set.once(source, make) : make();
}

function patched<D extends DescMessage & { readonly typeName: string }>(
  input: GeneratorInput,
  source: Generated<MessageShape<D>>,
  schema: D,
  what: string,
  patch: (message: MessageShape<D>, log: PatchLog) => boolean,
): Patched<MessageShape<D>> {
  const log = new TouchLog(input.patchLog);
  const message = clone(schema, source.message);
  if (!patch(message, log)) return { resource: null };
  if (!log.isTouched) return { resource: source };
  const named = message as MessageShape<D> & { readonly name: string };
  return { resource: log.patched(source as never, named as never, log.elementsOf(`${what} ${named.name}`)) };
}

/** Adds what patches bring; a name that is taken stays with whoever has it. */
function withAdditions<D extends typeof ClusterSchema | typeof ListenerSchema>(
  input: GeneratorInput,
  set: PatchSet,
  applyTo: "CLUSTER" | "LISTENER",
  schema: D,
  resources: readonly Generated<MessageShape<D>>[],
): readonly Generated<MessageShape<D>>[] {
  const added: Generated<MessageShape<D>>[] = [];
  const taken = new Set(resources.map(({ name }) => name));
  for (const patch of additions(input, set, applyTo)) {
    const message = patchValue(patch, schema) as MessageShape<D> | undefined;
    if (message === undefined) continue;
    const { name } = message as { readonly name: string };
    if (taken.has(name)) {
      input.patchLog?.problem(patch, `there is a ${applyTo.toLowerCase()} ${name} already`);
      continue;
    }
    taken.add(name);
    added.push({ name, message, provenance: [provenanceOf(patch)] });
    input.patchLog?.hit(patch, `${applyTo.toLowerCase()} ${name}`);
  }
  return added.length === 0 ? resources : [...resources, ...added];
}

/** A sidecar gets what is for any context once, with its outbound part [control-plane §1.6]. */
function additions({ proxy }: GeneratorInput, set: PatchSet, applyTo: ApplyTo): Patch[] {
  if (proxy.type === "router") return set.of(applyTo, "GATEWAY").filter(isAddition);
  const inbound = set.of(applyTo, "SIDECAR_INBOUND").filter(({ match }) => match.context === "SIDECAR_INBOUND");
  return [...set.of(applyTo, "SIDECAR_OUTBOUND"), ...inbound].filter(isAddition);
}
