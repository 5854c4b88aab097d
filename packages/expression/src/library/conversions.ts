import { Failure } from "../values/abnormal.ts";
import { decodeUtf8 } from "../values/bytes.ts";
import { type Int, toInt, toUint, truncate } from "../values/integer.ts";
import {
  type Duration,
  durationText,
  makeTimestamp,
  parseDuration,
  parseTimestamp,
  type Timestamp,
  timestampText,
} from "../values/time.ts";
import { typeNameOf } from "../values/type-of.ts";
import { Double, TypeValue, type Uint, type Value } from "../values/value.ts";
import { fn, type Library } from "./overload.ts";

const same = (value: Value) => value;
const notA = (what: string, text: string) => new Failure(`"${text.slice(0, 64)}" is not ${what}`);

const INTS: Library = [
  fn("int(int) -> int", same),
  fn("int(uint) -> int", ({ value }: Uint) => toInt(BigInt(value))),
  fn("int(double) -> int", ({ value }: Double) => truncate(value, false)),
  fn("int(string) -> int", (text: string) =>
    /^[+-]?\d{1,20}$/.test(text) ? toInt(BigInt(text.replace("+", ""))) : notA("an int", text),
  ),
  fn("int(timestamp) -> int", ({ seconds }: Timestamp) => seconds),
  fn("int(duration) -> int", ({ seconds }: Duration) => seconds),
  fn("uint(uint) -> uint", same),
  fn("uint(int) -> uint", (value: Int) => toUint(BigInt(value))),
  fn("uint(double) -> uint", ({ value }: Double) => truncate(value, true)),
  fn("uint(string) -> uint", (text: string) =>
    /^\+?\d{1,20}$/.test(text) ? toUint(BigInt(text.replace("+", ""))) : notA("a uint", text),
  ),
];

const DECIMAL = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
const NAMED_DOUBLES: Readonly<Record<string, number>> = {
  nan: Number.NaN,
  inf: Number.POSITIVE_INFINITY,
  "+inf": Number.POSITIVE_INFINITY,
  "-inf": Number.NEGATIVE_INFINITY,
  infinity: Number.POSITIVE_INFINITY,
  "+infinity": Number.POSITIVE_INFINITY,
  "-infinity": Number.NEGATIVE_INFINITY,
};

function parseDouble(text: string): Double | Failure {
  const lower = text.toLowerCase();
  if (Object.hasOwn(NAMED_DOUBLES, lower)) return new Double(NAMED_DOUBLES[lower] ?? Number.NaN);
  return DECIMAL.test(text) ? new Double(Number(text)) : notA("a double", text);
}

/** The shortest text that reads back as the same number. */
export function doubleText(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "+Inf" : "-Inf";
  if (Object.is(value, -0)) return "-0";
  const size = Math.abs(value);
  if (value === 0 || (size >= 1e-5 && size < 1e21)) return String(value);
  const [digits = "", exponent = "0"] = value.toExponential().split("e");
  const sign = exponent.startsWith("-") ? "-" : "+";
  return `${digits}e${sign}${exponent.replace(/[+-]/, "").padStart(2, "0")}`;
}

const TRUE_TEXTS = ["1", "t", "T", "true", "TRUE", "True"];
const FALSE_TEXTS = ["0", "f", "F", "false", "FALSE", "False"];

const OTHERS: Library = [
  fn("double(double) -> double", same),
  fn("double(int) -> double", (value: Int) => new Double(Number(value))),
  fn("double(uint) -> double", ({ value }: Uint) => new Double(Number(value))),
  fn("double(string) -> double", parseDouble),
  fn("string(string) -> string", same),
  fn("string(bool) -> string", (value: boolean) => String(value)),
  fn("string(int) -> string", (value: Int) => String(value)),
  fn("string(uint) -> string", ({ value }: Uint) => String(value)),
  fn("string(double) -> string", ({ value }: Double) => doubleText(value)),
  fn(
    "string(bytes) -> string",
    (bytes: Uint8Array) => decodeUtf8(bytes) ?? new Failure("invalid UTF-8: the bytes are no text"),
  ),
  fn("string(timestamp) -> string", timestampText),
  fn("string(duration) -> string", durationText),
  fn("bytes(bytes) -> bytes", same),
  fn("bytes(string) -> bytes", (text: string) => new Uint8Array(Buffer.from(text, "utf8"))),
  fn("bool(bool) -> bool", same),
  fn("bool(string) -> bool", (text: string) =>
    TRUE_TEXTS.includes(text) ? true : FALSE_TEXTS.includes(text) ? false : notA("a bool", text),
  ),
  fn("timestamp(timestamp) -> timestamp", same),
  fn("timestamp(string) -> timestamp", parseTimestamp),
  fn("timestamp(int) -> timestamp", (seconds: Int) => makeTimestamp(Number(seconds), 0)),
  fn("duration(duration) -> duration", same),
  fn("duration(string) -> duration", parseDuration),
  fn("duration(int) -> duration", (seconds: Int) => parseDuration(`${seconds}s`)),
  fn("dyn(A) -> dyn", same),
  fn("type(A) -> type(A)", (value: Value) => new TypeValue(typeNameOf(value))),
];

export function conversions(): Library {
  return [...INTS, ...OTHERS];
}
