import { ROUTER, routesTo, TestProxy, type TestProxyOptions } from "../../http/testing/test-proxy.ts";
import type { ExtensionFactory, ExtensionRoot, ExtensionStream, RootHandle, StreamHandle } from "../extension.ts";

const slots = new Map<string, number>();

function slotOf(key: string): number {
  const slot = slots.get(key) ?? slots.size;
  slots.set(key, slot);
  return slot;
}

export const property = (...path: string[]) => ({ path, slot: slotOf(path.join("\0")) });
export const header = (name: string) => ({ name, slot: slotOf(`header ${name}`) });
export const state = (name: string) => ({ name, slot: slotOf(`state ${name}`) });

export const REQUEST = 0;
export const RESPONSE = 2;

type Callbacks = Partial<Record<keyof ExtensionStream, (host: StreamHandle) => number | undefined>>;

/** An extension of plain functions. */
export function extension(
  callbacks: Callbacks,
  root: { configure?: (host: RootHandle, text: string) => boolean; tick?: () => void; close?: () => void } = {},
): ExtensionFactory {
  return (rootHost): ExtensionRoot => ({
    onConfigure: (text) => root.configure?.(rootHost, text) ?? true,
    onTick: () => root.tick?.(),
    onClose: () => root.close?.(),
    createStream: (host) =>
      new Proxy({} as ExtensionStream, {
        get: (_target, name) => () => callbacks[name as keyof ExtensionStream]?.(host) ?? 0,
      }),
  });
}

/** Asks for a tick a second. */
export function ticking(root: RootHandle): boolean {
  root.setTickPeriod(1000);
  return true;
}

export const FILTER = {
  name: "istio.stats",
  typedConfig: {
    "@type": "type.googleapis.com/udpa.type.v1.TypedStruct",
    typeUrl: "type.googleapis.com/stats.PluginConfig",
    value: { disable_host_header_fallback: true, metrics: [{ name: "müßig" }] },
  },
};

export function proxy(factory: ExtensionFactory, options: TestProxyOptions = {}, key = "stats.PluginConfig") {
  const routeConfig = routesTo([
    { name: "r", metadata: { filterMetadata: { m: { k: "route" } } }, match: { prefix: "/" }, route: { cluster: "c" } },
  ]);
  const test = new TestProxy(
    { routeConfig, httpFilters: [FILTER, ROUTER] },
    { ...options, extensions: { [key]: factory } },
  );
  const cluster = test.clusters.add("c", {
    istio: { services: [{ host: "reviews.default", name: "reviews", namespace: "default" }], external: true },
  });
  return { test, cluster };
}
