import type { TelemetryMode } from "@mixerless/pilot";
import { InvalidArgumentError, Option } from "commander";

/** A flag that may be given several times. */
export function collect(value: string, previous: string[]): string[] {
  return [...previous, value];
}

/** A number above 0, at most 10,000. */
export function positive(text: string): number {
  const value = Number(text);
  if (!(value > 0) || value > 10_000) throw new InvalidArgumentError("Give a number above 0 and up to 10000.");
  return value;
}

/** A whole number. */
export function integer(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value)) throw new InvalidArgumentError("Give a whole number.");
  return value;
}

/** A port number. */
export function port(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 65_535)
    throw new InvalidArgumentError("Give a port, 1 to 65535.");
  return value;
}

/** A time such as 30s or 5m, in milliseconds. */
export function duration(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text);
  const factor = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }[match?.[2] ?? ""];
  if (match === null || factor === undefined)
    throw new InvalidArgumentError("Give a number and a unit, for example 30s or 5m.");
  return Number(match[1]) * factor;
}

/** `ip:port`. */
export function address(text: string): { ip: string; port: number } {
  const colon = text.lastIndexOf(":");
  return { ip: text.slice(0, colon), port: Number(text.slice(colon + 1)) };
}

/** `--telemetry`, of the control plane and of the demo, where the form of the filters is a flag of its own. */
export function telemetryOption(modes: readonly TelemetryMode[]): Option {
  const what =
    "how proxies come by Istio's metrics: by their own filters (as Wasm modules: wasm), by EnvoyFilters that you give, or not at all";
  return new Option("--telemetry <mode>", what).choices(modes).default("native");
}
