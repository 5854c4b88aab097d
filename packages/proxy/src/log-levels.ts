/** From the most talkative on, as Envoy names them. */
const LEVELS = ["trace", "debug", "info", "warning", "error", "critical", "off"] as const;

export type LogLevel = (typeof LEVELS)[number];

/** Parts of the proxy that log. `wasm` is what extensions say, as in Envoy, in process or not. */
const LOGGERS = ["config", "main", "wasm"] as const;

export type LoggerName = (typeof LOGGERS)[number];

/** Says something unless its logger is set to less. */
export type Log = (message: string, level?: LogLevel) => void;

/** The levels of the loggers, changed while running by `/logging`. */
export class LogLevels {
  readonly #sink: (message: string) => void;
  readonly #levels = new Map<LoggerName, number>(LOGGERS.map((name) => [name, LEVELS.indexOf("info")]));

  constructor(sink: (message: string) => void) {
    this.#sink = sink;
  }

  logger(name: LoggerName): Log {
    return (message, level = "info") => {
      if (LEVELS.indexOf(level) >= (this.#levels.get(name) ?? 0)) this.#sink(message);
    };
  }

  /** Sets one logger or, with null, all. Gives what is wrong with the wish, or null. */
  set(name: string | null, level: string): string | null {
    const index = (LEVELS as readonly string[]).indexOf(level === "warn" ? "warning" : level);
    if (index < 0) return `unknown level "${level}"; levels are ${LEVELS.join(", ")}`;
    const names = name === null ? LOGGERS : LOGGERS.filter((one) => one === name);
    if (names.length === 0) return `unknown logger "${name}"; loggers are ${LOGGERS.join(", ")}`;
    for (const one of names) this.#levels.set(one, index);
    return null;
  }

  list(): string {
    return LOGGERS.map((name) => `  ${name}: ${LEVELS[this.#levels.get(name) ?? 0]}\n`).join("");
  }
}

/** The level of a plugin's log call: 0 trace … 5 critical. */
export function pluginLevel(level: number): LogLevel {
  return LEVELS[Math.min(Math.max(Math.trunc(level), 0), 5)] ?? "info";
}
