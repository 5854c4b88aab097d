import type { Any } from "@bufbuild/protobuf/wkt";
import type { Timer } from "@mixerless/clock";
import { typeNameOfUrl } from "@mixerless/wire";
import type { ExtensionConfigSource } from "@mixerless/wire/envoy/config/core/v3/config_source";
import { milliseconds } from "../http/routing/duration.ts";
import type { ConfigFault } from "./config-fault.ts";
import { configuredType } from "./configured-type.ts";
import type { FilterChainContext } from "./context.ts";
import type { DiscoveredPlace, PreparedConfig } from "./discovered-config.ts";

/** Compiles a configuration of a filter. Null after adding faults, whose paths begin with `path`. */
export type FactoryCompiler<Factory> = (config: Any, path: string, faults: ConfigFault[]) => Factory | null;

/** What a configuration is compiled to. */
interface Closable {
  readonly starting?: boolean;
  close?(): void;
}

/** Envoy's default for `initial_fetch_timeout`. */
const FETCH_TIMEOUT = 15_000;

/** Compiles `config_discovery` of a filter. Null after adding faults. */
export function compileDiscovered<Factory extends Closable>(
  name: string,
  source: ExtensionConfigSource,
  compile: FactoryCompiler<Factory>,
  context: Pick<FilterChainContext, "clock" | "filterConfigs">,
  path: string,
  faults: ConfigFault[],
): DiscoveredFactory<Factory> | null {
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
  const checked: FactoryCompiler<Factory> = (config, at, found) => {
    const type = configuredType(config);
    if (types.has(type)) return compile(config, at, found);
    const message = `${type} is not among the filter's type_urls (${[...types].join(", ")})`;
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
  return new DiscoveredFactory(name, checked, fallback, wait, context);
}

/**
 * A filter whose configuration comes and changes apart from its chain. What has begun with one version keeps it.
 */
export class DiscoveredFactory<Factory extends Closable> implements DiscoveredPlace {
  readonly #compile: FactoryCompiler<Factory>;
  /** Serves while nothing has come, and after it was taken back. */
  readonly #fallback: Factory | null;
  readonly #unsubscribe: () => void;
  #current: Factory | null = null;
  #timer: Timer | null = null;
  #warming: boolean;
  /** There was a configuration, and there is none now. */
  #withdrawn = false;
  #closed = false;

  /** `wait`: milliseconds that its listener waits for the first configuration, 0: for ever; null: it does not wait. */
  constructor(
    name: string,
    compile: FactoryCompiler<Factory>,
    fallback: Factory | null,
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

  /** Whether the first configuration is still to come, or what it brought can't do its work yet. */
  get starting(): boolean {
    return this.#current === null ? !this.#withdrawn : this.#current.starting === true;
  }

  /** What serves now; null: there is no configuration at all. */
  get factory(): Factory | null {
    return this.#current ?? this.#fallback;
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
    this.#withdrawn = true;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#timer?.cancel();
    this.#unsubscribe();
    this.#current?.close?.();
    this.#fallback?.close?.();
  }

  #take(factory: Factory): void {
    this.#current?.close?.();
    this.#current = factory;
    this.#timer?.cancel();
    this.#warming = false;
  }
}
