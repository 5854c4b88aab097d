import type { Milliseconds } from "../kinds/common.ts";
import { describe, type Reader, wrongType } from "./reader.ts";

const NANOSECONDS: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1_000n,
  µs: 1_000n,
  μs: 1_000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
};

const PART = /(\d{0,12})(?:\.(\d{0,12}))?(ns|us|µs|μs|ms|s|m|h)/y;
const MAX_LENGTH = 64;

/** Nanoseconds of a duration in Go's notation (`1h30m`, `0.5s`, `0`), or undefined. */
export function parseDuration(text: string): bigint | undefined {
  if (text.length > MAX_LENGTH) return undefined;
  const negative = text.startsWith("-");
  const body = negative || text.startsWith("+") ? text.slice(1) : text;
  if (body === "0") return 0n;
  if (body === "") return undefined;
  let total = 0n;
  const part = new RegExp(PART);
  while (part.lastIndex < body.length) {
    const match = part.exec(body);
    if (match === null) return undefined;
    const [, whole = "", fraction = "", unit = ""] = match;
    const scale = NANOSECONDS[unit];
    if (whole + fraction === "" || scale === undefined) return undefined;
    total += BigInt(whole || "0") * scale + (BigInt(fraction || "0") * scale) / 10n ** BigInt(fraction.length);
  }
  return negative ? -total : total;
}

export interface DurationRule {
  /** Zero is allowed and means "off". */
  readonly zero?: boolean;
  readonly wholeSeconds?: boolean;
  /** Milliseconds. */
  readonly max?: number;
}

/** A duration of at least 1 ms and of whole milliseconds (§8.1), as milliseconds. */
export function duration(rule: DurationRule = {}): Reader<Milliseconds> {
  return (value, at) => {
    if (typeof value !== "string") {
      const cure = typeof value === "number" ? `Add a unit: "${value}s" or "${value}ms".` : 'Write one such as "10s".';
      return wrongType(at, "a duration", value, cure);
    }
    const nanoseconds = parseDuration(value);
    if (nanoseconds === undefined) {
      return wrongType(at, "a duration", value, 'Write numbers with the units h, m, s or ms, such as "1m30s".');
    }
    const milliseconds = Number(nanoseconds) / 1e6;
    const problem = durationProblem(nanoseconds, milliseconds, rule);
    if (problem !== undefined) at.error("bad-duration", `${describe(value)} ${problem}`, durationCure(rule));
    return milliseconds;
  };
}

function durationProblem(nanoseconds: bigint, milliseconds: number, rule: DurationRule): string | undefined {
  if (nanoseconds < 0n) return "is negative.";
  if (nanoseconds === 0n && rule.zero === true) return undefined;
  if (nanoseconds < 1_000_000n) return "is shorter than a millisecond.";
  if (nanoseconds % 1_000_000n !== 0n) return "is not a whole number of milliseconds.";
  if (rule.wholeSeconds === true && nanoseconds % 1_000_000_000n !== 0n) return "is not a whole number of seconds.";
  if (rule.max !== undefined && milliseconds > rule.max) return "is too long.";
  return undefined;
}

function durationCure({ zero, wholeSeconds, max }: DurationRule): string {
  const least = zero === true ? "0s or more" : wholeSeconds === true ? "1s or more" : "1ms or more";
  const most = max === undefined ? "" : `, at most ${max / 1000}s`;
  return `Use ${least}${most}, in whole ${wholeSeconds === true ? "seconds" : "milliseconds"}.`;
}
