import type { Cursor } from "../schema/cursor.ts";
import { duration } from "../schema/duration.ts";
import { lists, maps, object, optional, required, withDefault } from "../schema/object.ts";
import {
  boolean,
  checked,
  convert,
  describe,
  integer,
  nonEmpty,
  number,
  oneOf,
  type Reader,
  string,
} from "../schema/reader.ts";
import { checkUnique } from "../schema/shared-readers.ts";
import type {
  ConsistentHash,
  HashCookie,
  HashKey,
  LoadBalancerSettings,
  LocalityLbSetting,
  Warmup,
} from "./destination-rule.ts";

const DEFAULT_RING_SIZE = 1024;
const MAX_TABLE_SIZE = 5_000_011;

const cookie: Reader<HashCookie> = checked(
  object({
    name: required(nonEmpty),
    path: withDefault(string, ""),
    ttl: optional(duration({ zero: true })),
    attributes: lists(object({ name: required(nonEmpty), value: withDefault(string, "") })),
  }),
  ({ attributes }, at) => {
    const nameOf = (attribute: { name: string }) => attribute.name.toLowerCase();
    checkUnique(attributes, nameOf, (name, index) => {
      at.at("attributes").at(index).error("repeated-name", `The cookie attribute ${name} is repeated.`, "Keep one.");
    });
  },
);

const size = integer({ min: 0 });

const writtenHash = object({
  httpHeaderName: optional(nonEmpty),
  httpCookie: optional(cookie),
  useSourceIp: optional(boolean),
  httpQueryParameterName: optional(nonEmpty),
  ringHash: optional(object({ minimumRingSize: optional(size) })),
  maglev: optional(object({ tableSize: optional(size) })),
  minimumRingSize: optional(size),
});

type WrittenHash = NonNullable<ReturnType<typeof writtenHash>>;

const consistentHash: Reader<ConsistentHash> = convert(writtenHash, (written, at) => {
  exclusive(at, written, ["httpHeaderName", "httpCookie", "useSourceIp", "httpQueryParameterName"]);
  exclusive(at, written, ["ringHash", "maglev", "minimumRingSize"]);
  if (written.minimumRingSize !== undefined) {
    at.at("minimumRingSize").warn(
      "deprecated-field",
      "minimumRingSize is deprecated.",
      "Write ringHash: {minimumRingSize: …}.",
    );
  }
  const key = hashKey(written);
  const base = key === undefined ? {} : { key };
  if (written.maglev !== undefined) {
    const { tableSize } = written.maglev;
    if (tableSize !== undefined) checkTableSize(tableSize, at.at("maglev").at("tableSize"));
    return Object.freeze({ ...base, algorithm: "maglev", ...(tableSize === undefined ? {} : { tableSize }) });
  }
  const ring =
    written.ringHash === undefined ? (written.minimumRingSize ?? DEFAULT_RING_SIZE) : written.ringHash.minimumRingSize;
  return Object.freeze({ ...base, algorithm: "ring-hash", ...(ring === undefined ? {} : { minimumRingSize: ring }) });
});

function hashKey(written: WrittenHash): HashKey | undefined {
  if (written.httpHeaderName !== undefined) return { type: "header", name: written.httpHeaderName };
  if (written.httpCookie !== undefined) return { type: "cookie", cookie: written.httpCookie };
  if (written.httpQueryParameterName !== undefined)
    return { type: "query-parameter", name: written.httpQueryParameterName };
  return written.useSourceIp === true ? { type: "source-ip" } : undefined;
}

function checkTableSize(tableSize: number, at: Cursor): void {
  if (tableSize > 0 && tableSize < MAX_TABLE_SIZE && isPrime(tableSize)) return;
  at.error(
    "bad-table-size",
    `${tableSize} can't be the size of a maglev table.`,
    "Use a prime number below 5000011, such as 65537.",
  );
}

function isPrime(value: number): boolean {
  if (value < 2) return false;
  for (let divisor = 2; divisor * divisor <= value; divisor++) if (value % divisor === 0) return false;
  return true;
}

function exclusive<K extends string>(at: Cursor, written: { readonly [P in K]?: unknown }, names: readonly K[]): void {
  const present = names.filter((name) => written[name] !== undefined);
  if (present.length < 2) return;
  at.error("several-alternatives", `${present.join(" and ")} are set together.`, "Keep one of them.");
}

export const localityLbSetting: Reader<LocalityLbSetting> = checked(
  object({
    enabled: optional(boolean),
    distribute: lists(object({ from: withDefault(string, ""), to: maps(integer({ min: 0, max: 2 ** 32 - 1 })) })),
    failover: lists(object({ from: withDefault(string, ""), to: withDefault(string, "") })),
    failoverPriority: lists(nonEmpty),
  }),
  (read, at) => {
    if (read.distribute.length > 0 && read.failover.length > 0) {
      at.error("several-alternatives", "distribute and failover are set together.", "Keep one of them.");
    }
    checkDistribution(read.distribute, at.at("distribute"));
    read.failover.forEach((entry, index) => {
      checkFailover(entry, at.at("failover").at(index));
    });
  },
);

function checkDistribution(entries: LocalityLbSetting["distribute"], at: Cursor): void {
  const sources = entries.map((entry) => entry.from);
  entries.forEach(({ from, to }, index) => {
    const here = at.at(index);
    checkLocality(from, here.at("from"));
    checkOverlap(from, sources.slice(0, index), here.at("from"));
    const targets = Object.keys(to);
    targets.forEach((target, position) => {
      checkLocality(target, here.at("to").at(target));
      checkOverlap(target, targets.slice(0, position), here.at("to").at(target));
      const weight = to[target] ?? 0;
      if (weight >= 1 && weight <= 100) return;
      here.at("to").at(target).error("out-of-range", `The weight ${weight} is not from 1 to 100.`, "Use 1 to 100.");
    });
    const sum = Object.values(to).reduce((total, weight) => total + weight, 0);
    if (sum !== 100) here.at("to").error("bad-weights", `The weights sum to ${sum}, not 100.`, "Correct the weights.");
  });
}

function checkLocality(locality: string, at: Cursor): void {
  const parts = locality.split("/");
  const starInside = parts.some((part, index) => part.includes("*") && (part !== "*" || index !== parts.length - 1));
  if (locality !== "" && parts.length <= 3 && !starInside && parts.every((part) => part !== "")) return;
  const cure = "Write region/zone/subzone; only the last part may be *.";
  at.error("bad-locality", `${describe(locality)} is no locality.`, cure);
}

function checkOverlap(locality: string, earlier: readonly string[], at: Cursor): void {
  const other = earlier.find((candidate) => localityCovers(candidate, locality) || localityCovers(locality, candidate));
  if (other === undefined) return;
  at.error("overlapping-localities", `${locality} overlaps with ${other}.`, "Make them name different places.");
}

/** `r1` and `r1/*` name all of region r1. */
function localityCovers(outer: string, inner: string): boolean {
  if (outer === "*" || outer === inner) return true;
  const stem = outer.endsWith("/*") ? outer.slice(0, -2) : outer;
  return inner === stem || inner.startsWith(`${stem}/`);
}

function checkFailover({ from, to }: { from: string; to: string }, at: Cursor): void {
  const cure = "Write two different regions, without / and *.";
  if (from === to) at.error("bad-failover", `A failover from ${describe(from)} to itself has no effect.`, cure);
  for (const region of [from, to]) {
    if (region === "" || /[/*]/.test(region)) at.error("bad-failover", `${describe(region)} is no region.`, cure);
  }
}

const warmup: Reader<Warmup> = object({
  duration: required(duration()),
  minimumPercent: optional(number({ min: 0, max: 100 })),
  aggression: optional(number({ min: 1 })),
});

export const loadBalancer: Reader<LoadBalancerSettings> = convert(
  object({
    simple: optional(oneOf("UNSPECIFIED", "LEAST_CONN", "RANDOM", "PASSTHROUGH", "ROUND_ROBIN", "LEAST_REQUEST")),
    consistentHash: optional(consistentHash),
    localityLbSetting: optional(localityLbSetting),
    warmup: optional(warmup),
    warmupDurationSecs: optional(duration()),
  }),
  ({ warmupDurationSecs, ...read }, at) => {
    exclusive(at, read, ["simple", "consistentHash"]);
    if (warmupDurationSecs === undefined || read.warmup !== undefined) return Object.freeze(read);
    return Object.freeze({ ...read, warmup: { duration: warmupDurationSecs } });
  },
);
