import { Failure } from "../values/abnormal.ts";
import type { Duration, Timestamp } from "../values/time.ts";
import type { Work } from "../values/work.ts";
import { type Library, method } from "./overload.ts";

/** Reads one part of a date whose UTC fields are the local ones. */
type Part = (local: Date) => number;

const DAY = 86_400_000;

const PARTS: Readonly<Record<string, Part>> = {
  getFullYear: (local) => local.getUTCFullYear(),
  getMonth: (local) => local.getUTCMonth(),
  getDate: (local) => local.getUTCDate(),
  getDayOfMonth: (local) => local.getUTCDate() - 1,
  getDayOfWeek: (local) => local.getUTCDay(),
  getDayOfYear: (local) => {
    const first = new Date(local.getTime());
    first.setUTCMonth(0, 1);
    return Math.round((local.getTime() - first.getTime()) / DAY);
  },
  getHours: (local) => local.getUTCHours(),
  getMinutes: (local) => local.getUTCMinutes(),
  getSeconds: (local) => local.getUTCSeconds(),
  getMilliseconds: (local) => local.getUTCMilliseconds(),
};

const DURATION_PARTS: Readonly<Record<string, (duration: Duration) => number>> = {
  getHours: ({ seconds }) => Math.trunc(seconds / 3600) + 0,
  getMinutes: ({ seconds }) => Math.trunc(seconds / 60) + 0,
  getSeconds: ({ seconds }) => seconds,
  getMilliseconds: ({ nanos }) => Math.trunc(nanos / 1e6) + 0,
};

const OFFSET = /^([+-]?)(\d{1,2}):(\d{2})$/;
const MOST_ZONES = 64;
/** Calendars of zones are slow. */
const ZONE_COST = 20;

/** Gives the milliseconds that a zone is ahead of UTC at a moment. */
class Zones {
  readonly #formats = new Map<string, Intl.DateTimeFormat>();

  ahead(zone: string, at: number): number | Failure {
    const offset = OFFSET.exec(zone);
    if (offset !== null) {
      const minutes = Number(offset[2]) * 60 + Number(offset[3]);
      return (offset[1] === "-" ? -minutes : minutes) * 60_000;
    }
    try {
      const whole = Math.floor(at / 1000) * 1000;
      const parts = this.#format(zone).formatToParts(whole);
      const part = (type: string) => Number(parts.find((one) => one.type === type)?.value);
      const local = new Date(0);
      const era = parts.find((one) => one.type === "era")?.value ?? "";
      local.setUTCFullYear(era.startsWith("B") ? 1 - part("year") : part("year"), part("month") - 1, part("day"));
      local.setUTCHours(part("hour") % 24, part("minute"), part("second"));
      return local.getTime() - whole;
    } catch {
      return new Failure(`"${zone.slice(0, 64)}" is not a time zone like Europe/Berlin or +02:00`);
    }
  }

  #format(zone: string): Intl.DateTimeFormat {
    const known = this.#formats.get(zone);
    if (known !== undefined) return known;
    const made = new Intl.DateTimeFormat("en-US", {
      timeZone: zone,
      calendar: "gregory",
      hourCycle: "h23",
      era: "short",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
      second: "numeric",
    });
    if (this.#formats.size >= MOST_ZONES) this.#formats.clear();
    this.#formats.set(zone, made);
    return made;
  }
}

/** The parts of timestamps, in UTC or in a zone, and of durations. */
export function timeParts(): Library {
  const zones = new Zones();
  const millis = ({ seconds, nanos }: Timestamp) => seconds * 1000 + Math.floor(nanos / 1e6);
  return [
    ...Object.entries(PARTS).flatMap(([name, part]) => [
      method(`${name}(timestamp) -> int`, (time: Timestamp) => part(new Date(millis(time)))),
      method(`${name}(timestamp, string) -> int`, (time: Timestamp, zone: string, work: Work) => {
        work.spend(ZONE_COST);
        const ahead = zones.ahead(zone, millis(time));
        return typeof ahead === "number" ? part(new Date(millis(time) + ahead)) : ahead;
      }),
    ]),
    ...Object.entries(DURATION_PARTS).map(([name, part]) => method(`${name}(duration) -> int`, part)),
  ];
}
