import { MetricStore } from "@mixerless/metrics";
import type { HttpContext } from "../contexts/http-context.ts";
import { isFault, type LoadedModule } from "../module/load-module.ts";
import { type PluginConfig, pluginConfig } from "../plugin/config.ts";
import { WasmHost } from "../plugin/host.ts";
import type { Plugin } from "../plugin/plugin.ts";
import { assemble } from "./assemble.ts";
import { FakeServices } from "./fake-services.ts";
import { FakeHttpStream } from "./fake-streams.ts";
import { moduleText } from "./modules.ts";

/** A host with fake services, for tests and measurements. */
export class TestHost {
  readonly services = new FakeServices();
  readonly metrics = new MetricStore({ clock: this.services.clock });
  readonly host = new WasmHost({ services: this.services, metrics: this.metrics, random: () => 0 });

  /** Loads a module that has to be good. */
  async load(bytes: Uint8Array<ArrayBuffer>, limits: PluginConfig["limits"] = {}): Promise<LoadedModule> {
    const loaded = await this.host.load(bytes, limits);
    if (isFault(loaded)) throw new Error(`${loaded.code}: ${loaded.message}`);
    return loaded;
  }

  /** A plugin from the text of a module's functions. */
  async plugin(
    body: string,
    config: Partial<PluginConfig> = {},
    frame: Parameters<typeof moduleText>[1] = {},
  ): Promise<Plugin> {
    const module = await this.load(assemble(moduleText(body, frame)), config.limits);
    return this.host.create(pluginConfig("test", config), module);
  }

  /** A stream of a plugin that runs. */
  open(plugin: Plugin, stream = new FakeHttpStream()): { context: HttpContext; stream: FakeHttpStream } {
    const context = plugin.openHttp(stream);
    if (typeof context === "string") throw new Error(`the plugin doesn't run: ${context}`);
    stream.context = context;
    return { context, stream };
  }

  close(): void {
    this.host.close();
    this.metrics.close();
  }
}
