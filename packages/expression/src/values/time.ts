import { Failure } from "./abnormal.ts";

const NANOS = 1_000_000_000;
/** 0001-01-01T00:00:00Z and 9999-12-31T23:59:59Z. */
const FIRST_SECOND = -62_135_596_800;
const LAST_SECOND = 253_402_300_799;
/** What 64 bits of nanoseconds hold, as the reference implementations count durations. */
const MAX_DURATION = 9_223_372_036;

const TIME_RANGE = new Failure("range error: the timestamp is not between the years 1 and 9999");
const DURATION_RANGE = new Failure("range error: the duration is beyond 292 years");

/** Both parts have the same sign. */
export class Duration {
  readonly seconds: number;
  readonly nanos: number;

  constructor(seconds: number, nanos: number) {
    this.seconds = seconds;
    this.nanos = nanos;
  }
}

/** Seconds since the epoch; nanoseconds count forward from there. */
export class Timestamp {
  readonly seconds: number;
  readonly nanos: number;

  constructor(seconds: number, nanos: number) {
    this.seconds = seconds;
    this.nanos = nanos;
  }
}

export function durationOfNanos(nanos: number): Duration {
  return new Duration(Math.trunc(nanos / NANOS) + 0, (nanos % NANOS) + 0);
}

export function timestampOfNanos(nanos: number): Timestamp {
  const seconds = Math.floor(nanos / NANOS);
  return new Timestamp(seconds, nanos - seconds * NANOS);
}

/** A duration of parts that may carry into each other. */
export function makeDuration(seconds: number, nanos: number): Duration | Failure {
  let whole = seconds + Math.trunc(nanos / NANOS);
  let rest = nanos % NANOS;
  if (whole > 0 && rest < 0) {
    whole -= 1;
    rest += NANOS;
  } else if (whole < 0 && rest > 0) {
    whole += 1;
    rest -= NANOS;
  }
  return Math.abs(whole) > MAX_DURATION ? DURATION_RANGE : new Duration(whole + 0, rest + 0);
}

export function makeTimestamp(seconds: number, nanos: number): Timestamp | Failure {
  const carry = Math.floor(nanos / NANOS);
  const whole = seconds + carry;
  return whole < FIRST_SECOND || whole > LAST_SECOND ? TIME_RANGE : new Timestamp(whole, nanos - carry * NANOS);
}

export function compareTimes(a: Duration | Timestamp, b: Duration | Timestamp): number {
  return a.seconds === b.seconds ? a.nanos - b.nanos : a.seconds - b.seconds;
}

const RFC3339 = /^(\d{4})-(\d{2})-(\d{2})[Tt](\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?([Zz]|[+-]\d{2}:\d{2})$/;

export function parseTimestamp(text: string): Timestamp | Failure {
  const match = RFC3339.exec(text);
  if (match === null) return new Failure(`"${text.slice(0, 64)}" is not a timestamp like 2026-01-31T23:59:59Z`);
  const [, year = "", month = "", day = "", hour = "", minute = "", second = "", fraction = "", zone = "Z"] = match;
  const date = new Date(0);
  date.setUTCFullYear(Number(year), Number(month) - 1, Number(day));
  date.setUTCHours(Number(hour), Number(minute), Number(second));
  const same = date.getUTCMonth() === Number(month) - 1 && date.getUTCDate() === Number(day);
  if (!same || Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59)
    return new Failure(`"${text}" is not a date that exists`);
  return makeTimestamp(date.getTime() / 1000 - zoneSeconds(zone), Number(fraction.padEnd(9, "0")));
}

function zoneSeconds(zone: string): number {
  if (zone === "Z" || zone === "z") return 0;
  const seconds = Number(zone.slice(1, 3)) * 3600 + Number(zone.slice(4, 6)) * 60;
  return zone.startsWith("-") ? -seconds : seconds;
}

const DURATION_PART = /(\d+(?:\.\d*)?|\.\d+)(h|ms|us|µs|ns|m|s)/y;
const UNIT_NANOS: Readonly<Record<string, number>> = {
  h: 3600 * NANOS,
  m: 60 * NANOS,
  s: NANOS,
  ms: 1e6,
  us: 1e3,
  µs: 1e3,
  ns: 1,
};

/** As Go writes them: `1h30m`, `-1.5s`, `250ms`. */
export function parseDuration(text: string): Duration | Failure {
  const bad = () => new Failure(`"${text.slice(0, 64)}" is not a duration like 1h30m, 1.5s or 250ms`);
  const negative = text.startsWith("-");
  let at = negative || text.startsWith("+") ? 1 : 0;
  if (text.slice(at) === "0") return new Duration(0, 0);
  if (at === text.length || text.length > 128) return bad();
  let total = 0n;
  while (at < text.length) {
    DURATION_PART.lastIndex = at;
    const match = DURATION_PART.exec(text);
    if (match === null) return bad();
    const [whole = "0", fraction = ""] = (match[1] ?? "").split(".");
    const unit = BigInt(UNIT_NANOS[match[2] ?? ""] ?? 0);
    total += BigInt(whole === "" ? "0" : whole) * unit;
    if (fraction !== "") total += (BigInt(fraction) * unit) / 10n ** BigInt(fraction.length);
    at = DURATION_PART.lastIndex;
  }
  if (total > 2n ** 63n - 1n) return DURATION_RANGE;
  const sign = negative ? -1 : 1;
  return new Duration(sign * Number(total / BigInt(NANOS)) + 0, sign * Number(total % BigInt(NANOS)) + 0);
}

function fractionText(nanos: number): string {
  if (nanos === 0) return "";
  const digits = String(nanos).padStart(9, "0");
  return `.${digits.replace(/0+$/, "")}`;
}

/** `1.5s`. */
export function durationText({ seconds, nanos }: Duration): string {
  const sign = seconds < 0 || nanos < 0 ? "-" : "";
  return `${sign}${Math.abs(seconds)}${fractionText(Math.abs(nanos))}s`;
}

/** RFC 3339 in UTC. */
export function timestampText({ seconds, nanos }: Timestamp): string {
  return `${new Date(seconds * 1000).toISOString().slice(0, 19)}${fractionText(nanos)}Z`;
}
