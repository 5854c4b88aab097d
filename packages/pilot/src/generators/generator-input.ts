import type { PatchLog } from "../envoy-filters/patch.ts";
import type { ProxyNode } from "../model/proxy-node.ts";
import type { PushContext } from "../model/push-context.ts";
import type { GenerationMemo } from "./generation-memo.ts";

/** How proxies come by Istio's metrics [decision 2]. */
export type TelemetryMode = "native" | "wasm" | "envoyfilter" | "none";

/** What every generator is given: one proxy and one immutable revision of the configuration. */
export interface GeneratorInput {
  readonly proxy: ProxyNode;
  readonly push: PushContext;
  readonly telemetry: TelemetryMode;
  /** An authority gives workloads identities. Without one nothing speaks mutual TLS. */
  readonly mutualTls?: boolean;
  /** The proxy has proven that it is of the namespace that it names. */
  readonly authenticated?: boolean;
  /** Shared by the proxies of one revision; absent: everything is made anew. */
  readonly memo?: GenerationMemo;
  /** Told what becomes of the patches of EnvoyFilters; with one, nothing that was patched before is used again. */
  readonly patchLog?: PatchLog;
}

/** Made once for all proxies for which `key` and their outlook are the same. */
export function shared<T>({ memo, proxy }: GeneratorInput, key: () => string, make: () => T): T {
  return memo === undefined ? make() : memo.get(`${key()} ${memo.outlook(proxy)}`, make);
}

/** Short text for an object of this revision, as a part of a key. */
export function identityOf({ memo }: GeneratorInput, object: object): string {
  return memo === undefined ? "" : String(memo.identity(object));
}

/** Where the proxy serves its application as an HTTP proxy: by its own word, else by the mesh's; 0: nowhere. */
export function httpProxyPort({ proxy, push }: GeneratorInput): number {
  const own = Number(proxy.metadata.HTTP_PROXY_PORT);
  return Number.isInteger(own) && own > 0 && own < 65_536 ? own : push.mesh.proxyHttpPort;
}

/** Without capture nothing can be bound to the wildcard or to the original destination [control-plane §4.9]. */
export function isUncaptured(proxy: ProxyNode): boolean {
  return proxy.interceptionMode === "NONE";
}
