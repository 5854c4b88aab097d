import { create } from "@bufbuild/protobuf";
import { AnySchema } from "@bufbuild/protobuf/wkt";
import type { Clock, Timer } from "@mixerless/clock";
import type { EnvoyPlugin } from "@mixerless/wasm";
import { unpackTypedStruct } from "@mixerless/wire";
import type { Bootstrap } from "@mixerless/wire/envoy/config/bootstrap/v3/bootstrap";
import type { TypedExtensionConfig } from "@mixerless/wire/envoy/config/core/v3/extension";
import { WasmServiceSchema } from "@mixerless/wire/envoy/extensions/wasm/v3/wasm";
import type { ConfigFault } from "../network/config-fault.ts";
import { configuredType } from "../network/configured-type.ts";
import { readPlugin } from "./read-plugin.ts";
import { codeFault, type PlacedPlugin, type PluginPlace, usePlugin } from "./use-plugin.ts";

/** Which services a process runs. Where several are one proxy, one of them runs those of which there is to be one. */
export type ServicePart = "all" | "perProcess" | "none";

interface ServiceParts extends Omit<PluginPlace, "place" | "listener"> {
  readonly clock: Clock;
  readonly part: ServicePart;
}

/** A plugin that a bootstrap names. */
interface Service {
  readonly name: string;
  readonly plugin: EnvoyPlugin;
  readonly singleton: boolean;
}

/** Of what belongs to no listener. */
const NO_LISTENER = { name: "", direction: 0, filterChainName: "", metadata: {} };

/** How often services that failed are looked after, milliseconds. */
const REVIVAL = 1000;

/**
 * `envoy.bootstrap.wasm`: plugins without streams, which tick, ask clusters, and read queues that other plugins fill.
 * They run from the start of the proxy to its end.
 */
export class PluginServices {
  readonly #configured: readonly TypedExtensionConfig[];
  readonly #parts: ServiceParts;
  #running: PlacedPlugin[] = [];
  #timer: Timer | null = null;

  constructor({ bootstrapExtensions }: Bootstrap, parts: ServiceParts) {
    this.#configured = bootstrapExtensions;
    this.#parts = parts;
  }

  /** What is wrong with their configurations. */
  check(): ConfigFault[] {
    const faults: ConfigFault[] = [];
    this.#read(faults);
    return faults;
  }

  /** Those with faults are left out; nobody waits for any. */
  start(): void {
    const { part } = this.#parts;
    if (part === "none") return;
    for (const { name, plugin, singleton } of this.#read([])) {
      if (singleton && part === "perProcess") continue;
      const use = usePlugin(plugin, { ...this.#parts, place: `bootstrap/${name}`, listener: NO_LISTENER }, "", []);
      if (use !== null) this.#running.push(use);
    }
    if (this.#running.length === 0) return;
    // No stream comes that would bring a new VM, so somebody has to look.
    this.#timer = this.#parts.clock.every(REVIVAL, () => {
      for (const { deployment } of this.#running) deployment.revive();
    });
  }

  close(): void {
    this.#timer?.cancel();
    for (const use of this.#running) use.release();
    this.#running = [];
  }

  #read(faults: ConfigFault[]): Service[] {
    return this.#configured.flatMap(({ name, typedConfig }, i) => {
      const path = `bootstrapExtensions[${i}].typedConfig`;
      const any = typedConfig ?? create(AnySchema);
      const type = configuredType(any);
      if (type !== WasmServiceSchema.typeName) {
        const message = `the bootstrap extension ${type || "(empty)"} is not supported; only ${WasmServiceSchema.typeName} is`;
        faults.push({ path, message });
        return [];
      }
      const plugin = readPlugin(any, WasmServiceSchema, path, faults);
      if (plugin === null) return [];
      const fault = codeFault(plugin.code, this.#parts.extensions);
      if (fault !== null) {
        faults.push({ path: `${path}.config.vm_config.code`, message: fault });
        return [];
      }
      const singleton = unpackTypedStruct(any, WasmServiceSchema).message?.singleton ?? false;
      return [{ name: name || plugin.config.name, plugin, singleton }];
    });
  }
}
