import { readFileSync } from "node:fs";
import { MetricStore } from "@mixerless/metrics";
import type { RootHandle } from "@mixerless/sdk";
import type { FakeRoot, FakeStream } from "@mixerless/sdk/testing";
import {
  isFault,
  type LoadedModule,
  loadModule,
  type Plugin,
  pluginConfig,
  resolveLimits,
  WasmHost,
} from "@mixerless/wasm";
import { FakeCalls } from "./fake-calls.ts";
import { FakeHostMetrics, fakeServices } from "./fake-services.ts";
import { HostedStream } from "./hosted-stream.ts";

/** What the fake host calls of a root context. */
interface FormRoot {
  onConfigure(configuration: string): boolean;
  onTick(): void;
  createStream(stream: FakeStream): HostedStream;
}

/**
 * A factory of root contexts, as a plugin's source exports it, that runs the plugin's module in the house's Wasm host on
 * the same fake streams as the form in process.
 */
export async function loadHostedForm(file: string): Promise<(host: RootHandle) => FormRoot> {
  const module = await loadModule(new Uint8Array(readFileSync(file)), resolveLimits({}));
  if (isFault(module)) throw new Error(module.message);
  return (host) => new HostedRoot(module, host as FakeRoot);
}

class HostedRoot implements FormRoot {
  readonly #module: LoadedModule;
  readonly #root: FakeRoot;
  readonly #calls = new FakeCalls();
  #plugin: Plugin | null = null;

  constructor(module: LoadedModule, root: FakeRoot) {
    this.#module = module;
    this.#root = root;
  }

  onConfigure(configuration: string): boolean {
    const services = fakeServices(this.#root, this.#calls);
    const metrics = new MetricStore({ clock: services.clock });
    const host = new WasmHost({ services, metrics, pluginMetrics: new FakeHostMetrics(this.#root), random: () => 0 });
    const config = pluginConfig("plugin", { configuration: Buffer.from(configuration, "latin1") });
    this.#plugin = host.create(config, this.#module);
    return this.#plugin.status().state === "running";
  }

  /** The module's ticks come from the host's clock, which is that of the fake root. */
  onTick(): void {}

  createStream(stream: FakeStream): HostedStream {
    if (this.#plugin === null) throw new Error("a stream came before a configuration");
    return new HostedStream(this.#plugin, stream, this.#calls);
  }
}
