const DAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const MONTHS = "January February March April May June July August September October November December".split(" ");

/** Prints a wall-clock time in milliseconds since the epoch. */
export type TimeFormat = (time: number) => string;

/** ISO 8601 in UTC with milliseconds, Envoy's default. Streams of one millisecond share the text. */
export function createIsoFormat(): TimeFormat {
  let last = Number.NaN;
  let text = "";
  return (time) => {
    if (time !== last) {
      last = time;
      text = new Date(time).toISOString();
    }
    return text;
  };
}

/**
 * strftime with Envoy's extras: `%s` epoch seconds, `%f` nine digits and `%1f`…`%9f` that many digits of the
 * fraction. A string result of the factory is the reason why the format cannot be taken.
 */
export function createTimeFormat(format: string, local: boolean): TimeFormat | { readonly fault: string } {
  const parts: (string | ((date: DateParts) => string))[] = [];
  let literal = "";
  for (let at = 0; at < format.length; at++) {
    const char = format[at] ?? "";
    if (char !== "%") {
      literal += char;
      continue;
    }
    const digits = /^[1-9]?/.exec(format.slice(at + 1))?.[0] ?? "";
    const letter = format[at + 1 + digits.length] ?? "";
    const field =
      letter === "f" ? fraction(digits === "" ? 9 : Number(digits)) : digits === "" ? FIELDS[letter] : undefined;
    if (field === undefined) return { fault: `%${digits}${letter} is not a time field` };
    if (literal !== "") parts.push(literal);
    literal = "";
    parts.push(field);
    at += 1 + digits.length;
  }
  if (literal !== "") parts.push(literal);
  return (time) => {
    const date = splitDate(time, local);
    let text = "";
    for (const part of parts) text += typeof part === "string" ? part : part(date);
    return text;
  };
}

interface DateParts {
  readonly time: number;
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly weekday: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  /** Minutes east of UTC. */
  readonly zone: number;
}

function splitDate(time: number, local: boolean): DateParts {
  const zone = local ? -new Date(time).getTimezoneOffset() : 0;
  const date = new Date(time + zone * 60_000);
  return {
    time,
    year: date.getUTCFullYear(),
    month: date.getUTCMonth(),
    day: date.getUTCDate(),
    weekday: date.getUTCDay(),
    hour: date.getUTCHours(),
    minute: date.getUTCMinutes(),
    second: date.getUTCSeconds(),
    zone,
  };
}

const two = (n: number) => (n < 10 ? `0${n}` : String(n));

const FIELDS: Readonly<Record<string, (date: DateParts) => string>> = {
  "%": () => "%",
  Y: (d) => String(d.year),
  y: (d) => two(d.year % 100),
  m: (d) => two(d.month + 1),
  d: (d) => two(d.day),
  e: (d) => String(d.day).padStart(2),
  H: (d) => two(d.hour),
  I: (d) => two(d.hour % 12 || 12),
  M: (d) => two(d.minute),
  S: (d) => two(d.second),
  p: (d) => (d.hour < 12 ? "AM" : "PM"),
  j: (d) => String(1 + (Date.UTC(d.year, d.month, d.day) - Date.UTC(d.year, 0, 1)) / 86_400_000).padStart(3, "0"),
  a: (d) => (DAYS[d.weekday] ?? "").slice(0, 3),
  A: (d) => DAYS[d.weekday] ?? "",
  b: (d) => (MONTHS[d.month] ?? "").slice(0, 3),
  B: (d) => MONTHS[d.month] ?? "",
  F: (d) => `${d.year}-${two(d.month + 1)}-${two(d.day)}`,
  T: (d) => `${two(d.hour)}:${two(d.minute)}:${two(d.second)}`,
  s: (d) => String(Math.floor(d.time / 1000)),
  z: (d) => `${d.zone < 0 ? "-" : "+"}${two(Math.floor(Math.abs(d.zone) / 60))}${two(Math.abs(d.zone) % 60)}`,
  Z: (d) => (d.zone === 0 ? "UTC" : (FIELDS.z?.(d) ?? "")),
};

function fraction(digits: number): (date: DateParts) => string {
  return (date) => {
    const milliseconds = Math.floor(((date.time % 1000) + 1000) % 1000);
    return String(milliseconds).padStart(3, "0").padEnd(9, "0").slice(0, digits);
  };
}
