import { Failure } from "../values/abnormal.ts";
import { decodeUtf8 } from "../values/bytes.ts";
import { Duration, durationText, Timestamp, timestampText } from "../values/time.ts";
import { typeNameOf } from "../values/type-of.ts";
import { Double, MapValue, TypeValue, Uint, type Value } from "../values/value.ts";
import type { Work } from "../values/work.ts";

const CLAUSE = /%(?:\.(\d{1,3}))?([a-zA-Z%]?)/g;
const MOST_DIGITS = 100;

/** Thrown and caught here: a value that its clause cannot show. */
class Unfit extends Error {}

/** `'%s took %.2f s'.format([name, seconds])`. */
export function format(pattern: string, values: readonly Value[], work: Work): string | Failure {
  let next = 0;
  try {
    return pattern.replace(CLAUSE, (clause, precision: string | undefined, kind: string) => {
      if (kind === "%") return "%";
      const value = values[next];
      if (value === undefined) throw new Unfit(`index ${next} out of range`);
      next++;
      const text = formatOne(kind, precision === undefined ? 6 : Number(precision), value, clause, work);
      work.spend(1 + (text.length >> 4));
      return text;
    });
  } catch (error) {
    if (error instanceof Unfit) return new Failure(`format: ${error.message}`);
    throw error;
  }
}

function formatOne(kind: string, digits: number, value: Value, clause: string, work: Work): string {
  if (digits > MOST_DIGITS) throw new Unfit(`${clause} asks for more than ${MOST_DIGITS} digits`);
  switch (kind) {
    case "s":
      return text(value, work);
    case "d":
      return isSpecial(value) ? special(value.value) : String(integer(value, clause));
    case "f":
      return isSpecial(value) ? special(value.value) : fixed(decimal(value, clause), digits);
    case "e":
      return isSpecial(value) ? special(value.value) : exponential(decimal(value, clause), digits);
    case "b":
      return typeof value === "boolean" ? String(Number(value)) : integer(value, clause).toString(2);
    case "o":
      return integer(value, clause).toString(8);
    case "x":
      return hex(value, clause);
    case "X":
      return hex(value, clause).toUpperCase();
    default:
      throw new Unfit(`unrecognized formatting clause "${clause}"`);
  }
}

function unfit(clause: string, value: Value): never {
  throw new Unfit(`${clause} cannot show a ${typeNameOf(value)}`);
}

function isSpecial(value: Value): value is Double {
  return value instanceof Double && !Number.isFinite(value.value);
}

function special(value: number): string {
  return Number.isNaN(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity";
}

function integer(value: Value, clause: string): number | bigint {
  if (typeof value === "number" || typeof value === "bigint") return value;
  return value instanceof Uint ? value.value : unfit(clause, value);
}

function decimal(value: Value, clause: string): number {
  if (value instanceof Double) return value.value;
  if (typeof value === "number" || typeof value === "bigint") return Number(value);
  return value instanceof Uint ? Number(value.value) : unfit(clause, value);
}

/** Halves go to the even digit, where JavaScript rounds them up. */
function fixed(value: number, digits: number): string {
  const rounded = value.toFixed(digits);
  const exact = Math.abs(value) < 1e21 ? value.toFixed(MOST_DIGITS) : "";
  const cut = exact.length - MOST_DIGITS + digits;
  if (!/^50*$/.test(exact.slice(cut))) return rounded;
  const shorter = exact.slice(0, digits === 0 ? cut - 1 : cut);
  return Number(shorter.at(-1)) % 2 === 0 ? shorter : rounded;
}

function exponential(value: number, digits: number): string {
  const [mantissa = "", exponent = "+0"] = value.toExponential(digits).split("e");
  return `${mantissa}e${exponent[0]}${exponent.slice(1).padStart(2, "0")}`;
}

function hex(value: Value, clause: string): string {
  if (typeof value === "string") return Buffer.from(value, "utf8").toString("hex");
  if (value instanceof Uint8Array) return Buffer.from(value).toString("hex");
  return integer(value, clause).toString(16);
}

function text(value: Value, work: Work): string {
  work.spend(1);
  if (value === null) return "null";
  if (typeof value !== "object") return String(value);
  if (value instanceof Double) return Number.isFinite(value.value) ? String(value.value) : special(value.value);
  if (value instanceof Uint) return String(value.value);
  if (value instanceof Uint8Array) return decodeUtf8(value) ?? Buffer.from(value).toString("latin1");
  if (value instanceof Duration) return durationText(value);
  if (value instanceof Timestamp) return timestampText(value);
  if (value instanceof TypeValue) return value.name;
  if (Array.isArray(value)) return `[${value.map((one) => text(one, work)).join(", ")}]`;
  return value instanceof MapValue ? mapText(value, work) : unfit("%s", value);
}

function mapText(map: MapValue, work: Work): string {
  const entries: [string, string][] = [];
  for (const key of map.keys()) entries.push([text(key, work), text(map.get(key) as Value, work)]);
  entries.sort(([one], [other]) => (one < other ? -1 : 1));
  return `{${entries.map(([key, value]) => `${key}: ${value}`).join(", ")}}`;
}
