import type { Any } from "@bufbuild/protobuf/wkt";
import type { Clock } from "@mixerless/clock";
import { formatFault, unpackAnyAs } from "@mixerless/wire";
import type { Bootstrap } from "@mixerless/wire/envoy/config/bootstrap/v3/bootstrap";
import type { Cluster } from "@mixerless/wire/envoy/config/cluster/v3/cluster";
import { type ApiConfigSource, ApiConfigSource_ApiType } from "@mixerless/wire/envoy/config/core/v3/config_source";
import type { ClusterLoadAssignment } from "@mixerless/wire/envoy/config/endpoint/v3/endpoint";
import { ProxyConfigSchema } from "@mixerless/wire/istio/mesh/proxy_config";
import {
  type CacheOptions,
  createXdsClient,
  type ResourceFault,
  type ResourceUpdate,
  TypeUrl,
  type Wanted,
} from "@mixerless/xds";
import { describeFaults } from "../network/config-fault.ts";

import { secretName } from "../tls/pilot-secrets.ts";
import type { SecretSource } from "../tls/secret-store.ts";

import { checkResource } from "./check-resource.ts";
import { controlPlaneOf } from "./control-plane.ts";
import type { IncomingUpdate, RefusedUpdate } from "./resource-intake.ts";
import { kindOf, type ResourceKind, TYPE_URLS } from "./resource-kinds.ts";

/** The stream to the control plane, as the rest of the proxy sees it. */
export interface ConfigStream {
  subscribe(kind: ResourceKind, names: Wanted): void;
  subscribeSecrets(names: ReadonlySet<string>): void;
  /** Tells the control plane how the workload is. */
  reportHealth(healthy: boolean, reason: string): void;
  readonly connected: boolean;
  /** Resolves when the last good configuration is on disk. */
  close(): Promise<void>;
}

export interface ConfigStreamOptions {
  readonly clock: Clock;
  readonly log: (message: string) => void;
  readonly onUpdate: (update: IncomingUpdate) => readonly RefusedUpdate[];
  readonly onSecrets: (update: ResourceUpdate) => ResourceFault[];
  /** Keeps the last good configuration; null keeps none. */
  readonly cacheFile: string | null;
  /** What the TLS of the control plane's cluster names. */
  readonly secrets: SecretSource;
  /** Hears which roots the mesh trusts (PEM), whenever that changes; left out, nobody asks. */
  readonly onMeshRoots?: ((roots: readonly string[]) => void) | undefined;
}

export function startConfigStream(
  bootstrap: Bootstrap,
  ads: ApiConfigSource,
  options: ConfigStreamOptions,
): ConfigStream {
  const plane = controlPlaneOf(bootstrap, options.secrets, options.clock);
  const { target } = plane;
  const { log, cacheFile, onMeshRoots } = options;
  let everReached = false;
  const client = createXdsClient({
    ...plane,
    mode: ads.apiType === ApiConfigSource_ApiType.GRPC ? "sotw" : "delta",
    clock: options.clock,
    onUpdate: (update) => {
      if (update.typeUrl === TypeUrl.secret) return options.onSecrets(update);
      return update.typeUrl === TypeUrl.proxyConfig ? takeRoots(update, onMeshRoots) : take(update, options.onUpdate);
    },
    onState: (connected, reason) => {
      everReached = true;
      log(
        connected
          ? `Connected to the control plane at ${target}.`
          : `Lost the control plane at ${target}: ${reason}. Traffic goes on with the last configuration.`,
      );
    },
    onAttemptFailed: (reason) => {
      if (!everReached) log(`The control plane at ${target} does not answer: ${reason}. Trying again.`);
      everReached = true;
    },
    nameOf,
    ...(cacheFile === null ? {} : { cache: cacheOptions(cacheFile, target, log) }),
  });
  if (onMeshRoots !== undefined) client.subscribe(TypeUrl.proxyConfig, "*");
  client.start();
  return {
    subscribe: (kind, names) => client.subscribe(TYPE_URLS[kind], names),
    subscribeSecrets: (names) => client.subscribe(TypeUrl.secret, names),
    reportHealth: (healthy, reason) => client.reportHealth(healthy, reason),
    get connected() {
      return client.connected;
    },
    close: () => client.close(),
  };
}

function cacheOptions(file: string, target: string, log: (message: string) => void): CacheOptions {
  return {
    file,
    onFault: log,
    onUse: (savedAt) =>
      log(
        `The control plane at ${target} does not answer; serving the configuration of ${new Date(savedAt).toISOString()} from ${file}.`,
      ),
  };
}

function take(update: ResourceUpdate, onUpdate: ConfigStreamOptions["onUpdate"]): ResourceFault[] {
  const kind = kindOf(update.typeUrl);
  if (kind === null)
    return update.resources.map(({ name }) => ({ name, message: `${update.typeUrl} is not taken by this proxy` }));
  const resources = update.resources.map(({ name, version, any }) => ({ name, version, ...checkResource(kind, any) }));
  const refused = onUpdate({ kind, version: update.systemVersion, resources, removed: update.removed });
  return refused.map(({ name, faults }) => ({
    name,
    message: describeFaults(faults),
  }));
}

/** State-of-the-world responses carry no names; every resource has its own inside. */
function nameOf(any: Any): string {
  if (any.typeUrl === TypeUrl.secret) return secretName(any);
  const kind = kindOf(any.typeUrl);
  const { message } = kind === null ? { message: null } : checkResource(kind, any);
  if (message === null) return "";
  return kind === "endpoints" ? (message as ClusterLoadAssignment).clusterName : (message as Cluster).name;
}

/** An update of a list that is always whole; what cannot be read changes nothing. */
function takeRoots(update: ResourceUpdate, onMeshRoots: ConfigStreamOptions["onMeshRoots"]): ResourceFault[] {
  for (const { name, any } of update.resources) {
    const decoded = unpackAnyAs(any, ProxyConfigSchema);
    if (decoded.faults !== undefined) return [{ name, message: decoded.faults.map(formatFault).join("; ") }];
    if (decoded.message.caCertificatesPem.length > 0) onMeshRoots?.(decoded.message.caCertificatesPem);
  }
  return [];
}
