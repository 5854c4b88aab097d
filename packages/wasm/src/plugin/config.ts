import type { WasmLimits } from "../limits/limits.ts";

/** What happens to traffic while a plugin can't work [proxy-wasm §13.2]. */
export type FailurePolicy =
  /** Streams go on without it. */
  | "open"
  /** Streams are answered with 503. */
  | "closed"
  /** As closed, but the next stream gets a fresh VM, not more often than the back-off allows. */
  | "reload";

/** One use of a module, as Envoy's PluginConfig and VmConfig have it. */
export interface PluginConfig {
  readonly name: string;
  readonly rootId: string;
  readonly vmId: string;
  readonly vmConfiguration: Buffer;
  readonly configuration: Buffer;
  /** What the readers of attributes are given where there is no stream: node and listener, for example. */
  readonly attributes: object | null;
  /** All that the module sees of an environment. */
  readonly environment: ReadonlyMap<string, string>;
  /** Null or empty: everything is allowed. */
  readonly capabilities: ReadonlySet<string> | null;
  readonly failurePolicy: FailurePolicy;
  /** Milliseconds between two reloads; up to twice that, by chance. */
  readonly reloadInterval: number;
  readonly allowHeadersStop: boolean;
  readonly limits: Partial<WasmLimits>;
  /** What else tells two uses apart: the listener's direction, for example. */
  readonly extra: string;
  /** Whether the last good version returns when a new one keeps failing. */
  readonly rollback: boolean;
  /** Failures of a new version after which it does so. A version that stays dead doesn't need that many. */
  readonly rollbackAfter: number;
  /** Milliseconds after which a version counts as good. */
  readonly probation: number;
}

/** The defaults of everything but the name. */
export function pluginConfig(name: string, own: Partial<Omit<PluginConfig, "name">> = {}): PluginConfig {
  return {
    ...{
      name,
      rootId: "",
      vmId: "",
      vmConfiguration: Buffer.alloc(0),
      configuration: Buffer.alloc(0),
      attributes: null,
    },
    ...{ environment: new Map(), capabilities: null, failurePolicy: "closed", reloadInterval: 1000 },
    ...{ allowHeadersStop: false, limits: {}, extra: "", rollback: true, rollbackAfter: 3, probation: 600_000 },
    ...own,
  };
}

export interface EnvironmentRequest {
  readonly keyValues: Readonly<Record<string, string>>;
  /** Names to be taken from the host's environment. */
  readonly hostKeys: readonly string[];
}

/**
 * The environment of a VM [proxy-wasm §15.1]: what is given, and of the host's only what is asked for by name. A name
 * in both is a fault of the configuration.
 */
export function resolveEnvironment(
  { keyValues, hostKeys }: EnvironmentRequest,
  host: Readonly<Record<string, string | undefined>>,
): ReadonlyMap<string, string> | { readonly fault: string } {
  const environment = new Map(Object.entries(keyValues));
  for (const key of hostKeys) {
    if (environment.has(key)) {
      return { fault: `environment_variables: ${key} is in key_values and in host_env_keys. Leave one of them out` };
    }
    const value = host[key];
    if (value !== undefined) environment.set(key, value);
  }
  return environment;
}
