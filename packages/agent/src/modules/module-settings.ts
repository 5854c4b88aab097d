/** How modules are fetched and kept; by the variables of Istio's agent [control-plane §3.3]. */
export interface ModuleSettings {
  /** Most bytes of a module, and of what it comes in. */
  readonly maxBytes: number;
  /** Milliseconds for each exchange with a server. */
  readonly requestTimeout: number;
  /** Attempts before a fetch counts as failed. */
  readonly attempts: number;
  /** Milliseconds after which a module that nobody asked for goes. */
  readonly expiry: number;
  /** Milliseconds between two looks for such modules. */
  readonly purgeInterval: number;
  /** Registries that may do without TLS or with a certificate of any name; `*`: all. */
  readonly insecureRegistries: ReadonlySet<string>;
  /** Bytes that the folder may have; the least recently used go first. */
  readonly folderBytes: number;
}

const HOUR = 3_600_000;
const MIB = 1024 * 1024;

/** Reads the environment of the agent. What can't be read is told to `log` and the default taken. */
export function readModuleSettings(
  environment: Readonly<Record<string, string | undefined>>,
  log: (message: string) => void,
): ModuleSettings {
  const read = (name: string, fallback: number, parse: (text: string) => number) => {
    const text = environment[name] ?? "";
    if (text === "") return fallback;
    const value = parse(text);
    if (Number.isSafeInteger(value) && value > 0) return value;
    log(
      `${name} is "${text}", which is no positive ${parse === milliseconds ? "duration like 30s" : "whole number"}; the default is taken.`,
    );
    return fallback;
  };
  return {
    maxBytes: read("ISTIO_WASM_MAX_BINARY_SIZE_BYTES", 256 * MIB, Number),
    requestTimeout: read("WASM_HTTP_REQUEST_TIMEOUT", 15_000, milliseconds),
    attempts: read("WASM_HTTP_REQUEST_MAX_RETRIES", 5, Number),
    expiry: read("WASM_MODULE_EXPIRY", 24 * HOUR, milliseconds),
    purgeInterval: read("WASM_PURGE_INTERVAL", HOUR, milliseconds),
    insecureRegistries: new Set(
      (environment.WASM_INSECURE_REGISTRIES ?? "")
        .split(",")
        .map((one) => one.trim())
        .filter(Boolean),
    ),
    folderBytes: read("MIXERLESS_WASM_CACHE_BYTES", 1024 * MIB, Number),
  };
}

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: HOUR };

/** As Go writes durations: `1h30m`. NaN for what is none. */
function milliseconds(text: string): number {
  if (!/^(\d+(ms|s|m|h))+$/.test(text)) return Number.NaN;
  let sum = 0;
  for (const [, number, unit = ""] of text.matchAll(/(\d+)(ms|s|m|h)/g)) sum += Number(number) * (UNITS[unit] ?? 0);
  return sum;
}
