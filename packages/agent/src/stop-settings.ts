type Environment = Readonly<Record<string, string | undefined>>;

/** How a sidecar goes out of service, under the names of Istio's agent. */
export interface StopSettings {
  /** `TERMINATION_DRAIN_DURATION_SECONDS`: milliseconds between the wish to stop and the stop; 5 s. */
  readonly terminationDrainDuration: number;
  /** `EXIT_ON_ZERO_ACTIVE_CONNECTIONS`: instead stop as soon as no connection is open; false. */
  readonly exitOnZeroActiveConnections: boolean;
  /** `MINIMUM_DRAIN_DURATION`: milliseconds that this takes at least; 5 s. */
  readonly minimumDrainDuration: number;
}

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
const LONGEST = 24 * 3_600_000;

/** Reads the settings of the environment. Throws what names the variable and the cure. */
export function readStopSettings(environment: Environment): StopSettings {
  return {
    terminationDrainDuration: seconds(environment, "TERMINATION_DRAIN_DURATION_SECONDS", 5000),
    exitOnZeroActiveConnections: flag(environment, "EXIT_ON_ZERO_ACTIVE_CONNECTIONS"),
    minimumDrainDuration: duration(environment, "MINIMUM_DRAIN_DURATION", 5000),
  };
}

function seconds(environment: Environment, name: string, fallback: number): number {
  const text = environment[name];
  if (text === undefined || text === "") return fallback;
  const value = /^\d{1,6}$/.test(text) ? Number(text) * 1000 : Number.POSITIVE_INFINITY;
  if (value > LONGEST) throw wrong(name, text, "a whole number of seconds up to 86400, for example 5");
  return value;
}

function duration(environment: Environment, name: string, fallback: number): number {
  const text = environment[name];
  if (text === undefined || text === "") return fallback;
  const match = /^(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h)$/.exec(text);
  const value = match === null ? Number.POSITIVE_INFINITY : Number(match[1]) * (UNITS[match[2] ?? ""] ?? 0);
  if (value > LONGEST) throw wrong(name, text, "a number with a unit up to 24h, for example 5s");
  return value;
}

function flag(environment: Environment, name: string): boolean {
  const text = environment[name];
  if (text === undefined || text === "" || text === "false") return false;
  if (text === "true") return true;
  throw wrong(name, text, "true or false");
}

function wrong(name: string, text: string, cure: string): Error {
  return new Error(`${name} is ${JSON.stringify(text)}; give ${cure}.`);
}
