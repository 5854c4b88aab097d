import type { Any } from "@bufbuild/protobuf/wkt";
import type { Clock } from "@mixerless/clock";
import type { LoggedStream, StateSpan } from "@mixerless/wasm";
import { WasmAccessLogSchema } from "@mixerless/wire/envoy/extensions/access_loggers/wasm/v3/wasm";
import type { AccessLogger } from "../access-log/access-logger.ts";
import type { AttributeScope, AttributeSource } from "../extension-host/attributes/attribute.ts";
import type { HeaderMap } from "../http/header-map.ts";
import type { ConfigFault } from "../network/config-fault.ts";
import type { ListenerFacts, StreamInfo } from "../stream/stream-info.ts";
import { readPlugin } from "./read-plugin.ts";
import { streamHeaders } from "./stream-headers.ts";
import { type PlacedPlugin, type PluginPlace, usePlugin } from "./use-plugin.ts";

/** Streams that may wait to be logged by one plugin; with one more they are logged at once. */
const MOST_WAITING = 1000;

/** What access loggers that are plugins are made with. */
export interface PluginLogParts extends Omit<PluginPlace, "place" | "listener"> {
  readonly clock: Clock;
  /** Whose filter chain logs; left out where a listener itself does. */
  readonly listener?: ListenerFacts | undefined;
}

/** Whether a configuration is one of `envoy.access_loggers.wasm`. */
export function isPluginLogger(typeName: string): boolean {
  return typeName === WasmAccessLogSchema.typeName;
}

/** `envoy.access_loggers.wasm`: a module that is told of finished streams. Null after adding faults. */
export function compilePluginLogger(
  any: Any,
  index: number,
  parts: PluginLogParts,
  path: string,
  faults: ConfigFault[],
): AccessLogger | null {
  const plugin = readPlugin(any, WasmAccessLogSchema, path, faults);
  if (plugin === null) return null;
  const { listener, clusters, extensions, clock } = parts;
  if (listener === undefined) {
    const message =
      "a plugin can't be the log of a listener; put it into access_log of the connection manager or the TCP proxy";
    faults.push({ path, message });
    return null;
  }
  const place = `${listener.name}/${listener.filterChainName}/access_log/${index}`;
  const use = usePlugin(plugin, { place, listener, clusters, extensions }, path, faults);
  return use === null ? null : new PluginLogger(use, clock);
}

/** Tells a plugin of streams when their turn is over, so that no response waits for it. */
class PluginLogger implements AccessLogger {
  readonly #use: PlacedPlugin;
  readonly #clock: Clock;
  #waiting: StreamInfo[] = [];

  constructor(use: PlacedPlugin, clock: Clock) {
    this.#use = use;
    this.#clock = clock;
  }

  log(info: StreamInfo): void {
    const waiting = this.#waiting.push(info);
    if (waiting === 1) this.#clock.after(0, () => this.#tell());
    else if (waiting > MOST_WAITING) this.#tell();
  }

  close(): void {
    this.#tell();
    this.#use.release();
  }

  #tell(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    const { deployment, scope } = this.#use;
    for (const info of waiting) deployment.log(new FinishedStream(info, scope));
  }
}

/** A stream that is over, as a plugin reads it. */
class FinishedStream implements LoggedStream, AttributeSource {
  readonly info: StreamInfo;
  readonly scope: AttributeScope;

  constructor(info: StreamInfo, scope: AttributeScope) {
    this.info = info;
    this.scope = scope;
  }

  get attributes(): object {
    return this;
  }
  get listener(): ListenerFacts {
    return this.info.listener;
  }

  headers(map: number): HeaderMap | null {
    return streamHeaders(this.info, map);
  }

  getState(name: string): string | null {
    const value = this.info.filterState.get(name);
    return typeof value === "string" ? value : null;
  }

  setState(name: string, value: string, span: StateSpan): void {
    this.info.filterState.replace(name, value, span === "connection");
  }
}
