import type { Any } from "@bufbuild/protobuf/wkt";
import type { Timer } from "@mixerless/clock";
import { typeNameOfUrl } from "@mixerless/wire";
import type { ExtensionConfigSource } from "@mixerless/wire/envoy/config/core/v3/config_source";
import { isTerminalHttpFilter } from "../../filters/http-filter-registry.ts";
import type { ConfigFault } from "../../network/config-fault.ts";
import { configuredType } from "../../network/configured-type.ts";
import type { FilterChainContext } from "../../network/context.ts";
import type { DiscoveredPlace, PreparedConfig } from "../../network/discovered-config.ts";
import { ResponseFlag } from "../../stream/response-flags.ts";
import { FilterStatus, type FilterStream, HttpFilter, type HttpFilterFactory } from "../http-filter.ts";
import { milliseconds } from "../routing/duration.ts";

/** Compiles a configuration of the filter. Null after adding faults, whose paths begin with `path`. */
export type FilterCompiler = (config: Any, path: string, faults: ConfigFault[]) => HttpFilterFactory | null;

/** Envoy's default for `initial_fetch_timeout`. */
const FETCH_TIMEOUT = 15_000;

/** Compiles `config_discovery` of an HTTP filter. Null after adding faults. */
export function compileDiscoveredFilter(
  name: string,
  source: ExtensionConfigSource,
  compile: FilterCompiler,
  context: Pick<FilterChainContext, "clock" | "filterConfigs">,
  path: string,
  faults: ConfigFault[],
): HttpFilterFactory | null {
  const before = faults.length;
  const from = source.configSource?.configSourceSpecifier.case;
  if (from !== "ads") {
    const message = `${from ?? "an empty source"} is not supported; use ads, the stream to the control plane`;
    faults.push({ path: `${path}.configSource`, message });
  }
  const types = new Set(source.typeUrls.map(typeNameOfUrl));
  if (types.size === 0) faults.push({ path: `${path}.typeUrls`, message: "names no type; list those that may come" });
  if (source.applyDefaultConfigWithoutWarming && source.defaultConfig === undefined) {
    const message = "needs a defaultConfig to apply";
    faults.push({ path: `${path}.applyDefaultConfigWithoutWarming`, message });
  }
  const checked: FilterCompiler = (config, at, found) => {
    const type = configuredType(config);
    if (types.has(type) && !isTerminalHttpFilter(type)) return compile(config, at, found);
    const message = types.has(type)
      ? `${type} ends a chain and can't be delivered apart`
      : `${type} is not among the filter's type_urls (${[...types].join(", ")})`;
    found.push({ path: at, message });
    return null;
  };
  const { defaultConfig } = source;
  const fallback = defaultConfig === undefined ? null : checked(defaultConfig, `${path}.defaultConfig`, faults);
  if (faults.length > before) {
    fallback?.close?.();
    return null;
  }
  const patience = milliseconds(source.configSource?.initialFetchTimeout) ?? FETCH_TIMEOUT;
  const wait = source.applyDefaultConfigWithoutWarming ? null : patience;
  return new DiscoveredFilter(name, checked, fallback, wait, context);
}

/**
 * An HTTP filter whose configuration comes and changes apart from its chain. Streams keep the one that they began with.
 */
class DiscoveredFilter implements HttpFilterFactory, DiscoveredPlace {
  readonly #compile: FilterCompiler;
  /** Serves while nothing has come, and after it was taken back. */
  readonly #fallback: HttpFilterFactory | null;
  readonly #unsubscribe: () => void;
  #current: HttpFilterFactory | null = null;
  #timer: Timer | null = null;
  #warming: boolean;
  #closed = false;

  /** `wait`: milliseconds that its listener waits for the first configuration, 0: for ever; null: it does not wait. */
  constructor(
    name: string,
    compile: FilterCompiler,
    fallback: HttpFilterFactory | null,
    wait: number | null,
    { clock, filterConfigs }: Pick<FilterChainContext, "clock" | "filterConfigs">,
  ) {
    this.#compile = compile;
    this.#fallback = fallback;
    this.#warming = wait !== null;
    this.#unsubscribe = filterConfigs.subscribe(name, this);
    if (wait === null || wait === 0) return;
    this.#timer = clock.after(wait, () => {
      this.#warming = false;
      filterConfigs.gaveUp();
    });
  }

  get warming(): boolean {
    return this.#warming;
  }

  create(stream: FilterStream): HttpFilter | null {
    const factory = this.#current ?? this.#fallback;
    return factory === null ? new MissingFilter(stream) : factory.create(stream);
  }

  prepare(config: Any, faults: ConfigFault[]): PreparedConfig | null {
    const found: ConfigFault[] = [];
    const factory = this.#compile(config, "typedConfig", found);
    faults.push(...found);
    if (factory === null || found.length > 0) {
      factory?.close?.();
      return null;
    }
    return { take: () => this.#take(factory), discard: () => factory.close?.() };
  }

  withdraw(): void {
    this.#current?.close?.();
    this.#current = null;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#timer?.cancel();
    this.#unsubscribe();
    this.#current?.close?.();
    this.#fallback?.close?.();
  }

  #take(factory: HttpFilterFactory): void {
    this.#current?.close?.();
    this.#current = factory;
    this.#timer?.cancel();
    this.#warming = false;
  }
}

/** In place of a filter that has no configuration at all: nobody may slip through, as in Envoy. */
class MissingFilter extends HttpFilter {
  override decodeHeaders(): number {
    this.stream.sendLocalReply({
      ...{ status: 500, body: "", details: "filter_config_not_found", flags: ResponseFlag.NoFilterConfigFound },
    });
    return FilterStatus.Taken;
  }
}
