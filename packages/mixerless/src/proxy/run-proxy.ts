import { randomUUID } from "node:crypto";
import { BUILT_IN_MODULES, BUILT_IN_STATES, createBuiltInExtensions } from "@mixerless/agent";
import type { Clock } from "@mixerless/clock";
import { createProxy, createProxyGroup, type DataPlane, type WorkerSettings } from "@mixerless/proxy";
import { VERSION } from "../version.ts";
import { loadBootstrap, refusal } from "./load-bootstrap.ts";

export interface ProxySettings {
  readonly file: string;
  /** Used where the bootstrap's node has none. */
  readonly serviceNode?: string;
  readonly serviceCluster?: string;
  /** Processes that carry the traffic; left out, this one does. */
  readonly workers?: WorkerSettings | undefined;
  readonly clock: Clock;
  readonly log: (message: string) => void;
  /** Somebody asked for the end by the admin interface. */
  readonly onQuit: () => void;
}

/** A proxy of the file's bootstrap that has not started. Throws an Error that names every field which stands in the way. */
export function prepareProxy(settings: ProxySettings): DataPlane {
  const { file, clock, log, onQuit } = settings;
  const { bootstrap, source } = loadBootstrap(file);
  if (bootstrap.node !== undefined) {
    bootstrap.node.id ||= settings.serviceNode ?? "";
    bootstrap.node.cluster ||= settings.serviceCluster ?? "";
  }
  const { workers } = settings;
  const extensions = createBuiltInExtensions({ clock, environment: process.env, alone: workers === undefined });
  const options = {
    bootstrap,
    clock,
    extensions: extensions.table,
    closeExtensions: extensions.close,
    ownModules: BUILT_IN_MODULES,
    states: BUILT_IN_STATES,
    log,
    random: Math.random,
    uuid: randomUUID,
    onQuit,
    version: VERSION,
    adminToken: process.env.MIXERLESS_ADMIN_TOKEN,
  };
  const proxy = workers === undefined ? createProxy(options) : createProxyGroup(options, workers);
  const faults = proxy.check();
  if (faults.length === 0) return proxy;
  void proxy.close();
  throw refusal(file, source, faults);
}

/** Starts it. As Envoy, a static listener that cannot bind its address is the end; all that was bound is closed. */
export async function startProxy(proxy: DataPlane, log: (message: string) => void): Promise<void> {
  await proxy.start();
  const failed = proxy.listeners.filter((listener) => listener.error !== null);
  if (failed.length > 0) {
    await proxy.close();
    const lines = failed.map(({ name, address, error }) => `  listener ${name} cannot bind ${address}: ${error}`);
    throw new Error(`The proxy can't start.\n${lines.join("\n")}\nFree the address or give the listener another one.`);
  }
  const admin = proxy.adminAddress;
  if (admin !== null) log(`Admin answers at ${admin.ip}:${admin.port}.`);
  for (const { name, address } of proxy.listeners) log(`Listener ${name} accepts at ${address}.`);
}
