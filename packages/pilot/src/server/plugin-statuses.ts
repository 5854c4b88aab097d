import {
  PluginState,
  type PluginStatus,
  type PluginStatusReport,
} from "@mixerless/wire/mixerless/status/v1/plugin_status";

/** The plugins of one proxy as it told them last. */
export interface ProxyPlugins {
  /** `<name>.<namespace>`. */
  readonly proxy: string;
  /** Milliseconds since the epoch. */
  readonly reportedAt: number;
  /** Plugins that are not shown because there are too many. */
  readonly leftOut: number;
  readonly plugins: readonly object[];
}

/** Of what a proxy says so much is kept: plugins, characters of a name and of a message, frames. */
const PLUGINS = 200;
const NAME = 512;
const MESSAGE = 2048;
const FRAMES = 20;

/** What the connected proxies have said of their plugins: the last report of each stream. */
export class PluginStatuses {
  readonly #streams = new Map<object, ProxyPlugins>();

  /** `stream` is any object that stands for it. */
  take(stream: object, proxy: string, report: PluginStatusReport, now: number): void {
    const plugins = report.plugins.slice(0, PLUGINS);
    const leftOut = report.leftOut + report.plugins.length - plugins.length;
    // Reports of a proxy that has come back stand behind those of its old stream.
    this.#streams.delete(stream);
    this.#streams.set(stream, { proxy, reportedAt: now, leftOut, plugins: plugins.map(shown) });
  }

  end(stream: object): void {
    this.#streams.delete(stream);
  }

  /** Each proxy once, by name. */
  list(): ProxyPlugins[] {
    const newest = new Map([...this.#streams.values()].map((one) => [one.proxy, one]));
    return [...newest.values()].sort((a, b) => (a.proxy < b.proxy ? -1 : 1));
  }
}

function shown(plugin: PluginStatus) {
  const { lastError, microsecondsPerCall } = plugin;
  return {
    ...{ name: cut(plugin.name, NAME), place: cut(plugin.place, NAME) },
    state: (PluginState[plugin.state] ?? "unspecified").toLowerCase(),
    ...{ digest: cut(plugin.digest, NAME), refusedDigest: cut(plugin.refusedDigest, NAME) },
    since: Number(plugin.since),
    lastError:
      lastError === undefined
        ? null
        : {
            ...{ message: cut(lastError.message, MESSAGE), callback: cut(lastError.callback, NAME) },
            backtrace: lastError.backtrace.slice(0, FRAMES).map((frame) => cut(frame, NAME)),
          },
    ...{ source: cut(plugin.source, NAME), version: cut(plugin.version, NAME) },
    ...{ calls: Number(plugin.calls), traps: Number(plugin.traps) },
    microsecondsPerCall: Number.isFinite(microsecondsPerCall) ? microsecondsPerCall : 0,
    ...{ memory: Number(plugin.memory), streams: Number(plugin.streams) },
    ...{ failedStreams: Number(plugin.failedStreams), bypassedStreams: Number(plugin.bypassedStreams) },
  };
}

function cut(text: string, longest: number): string {
  return text.length > longest ? `${text.slice(0, longest)}…` : text;
}
