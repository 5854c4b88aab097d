import { Failure } from "../values/abnormal.ts";
import { compareNumbers, type Numeric, valuesEqual } from "../values/equality.ts";
import * as integer from "../values/integer.ts";
import { compareTimes, type Duration, makeDuration, makeTimestamp, type Timestamp } from "../values/time.ts";
import { Double, keyOf, type MapValue, type Result, type Value } from "../values/value.ts";
import type { Work } from "../values/work.ts";
import { fn, type Library, type Overload } from "./overload.ts";

const doubles = (operation: (a: number, b: number) => number) => (a: Double, b: Double) =>
  new Double(operation(a.value, b.value));

const ARITHMETIC: Library = [
  fn("_+_(int, int) -> int", integer.addInt),
  fn(
    "_+_(uint, uint) -> uint",
    integer.uintOperation((a, b) => a + b),
  ),
  fn(
    "_+_(double, double) -> double",
    doubles((a, b) => a + b),
  ),
  fn("_+_(string, string) -> string", (a: string, b: string, work: Work) => {
    work.spend((a.length + b.length) >> 4);
    return a + b;
  }),
  fn("_+_(bytes, bytes) -> bytes", (a: Uint8Array, b: Uint8Array, work: Work) => {
    work.spend((a.length + b.length) >> 4);
    return new Uint8Array(Buffer.concat([a, b]));
  }),
  fn("_+_(list(A), list(A)) -> list(A)", (a: readonly Value[], b: readonly Value[], work: Work) => {
    work.spend(a.length + b.length);
    return [...a, ...b];
  }),
  fn("_+_(duration, duration) -> duration", (a: Duration, b: Duration) =>
    makeDuration(a.seconds + b.seconds, a.nanos + b.nanos),
  ),
  fn("_+_(timestamp, duration) -> timestamp", (a: Timestamp, b: Duration) =>
    makeTimestamp(a.seconds + b.seconds, a.nanos + b.nanos),
  ),
  fn("_+_(duration, timestamp) -> timestamp", (a: Duration, b: Timestamp) =>
    makeTimestamp(a.seconds + b.seconds, a.nanos + b.nanos),
  ),
  fn("_-_(int, int) -> int", integer.subtractInt),
  fn(
    "_-_(uint, uint) -> uint",
    integer.uintOperation((a, b) => a - b),
  ),
  fn(
    "_-_(double, double) -> double",
    doubles((a, b) => a - b),
  ),
  fn("_-_(duration, duration) -> duration", (a: Duration, b: Duration) =>
    makeDuration(a.seconds - b.seconds, a.nanos - b.nanos),
  ),
  fn("_-_(timestamp, timestamp) -> duration", (a: Timestamp, b: Timestamp) =>
    makeDuration(a.seconds - b.seconds, a.nanos - b.nanos),
  ),
  fn("_-_(timestamp, duration) -> timestamp", (a: Timestamp, b: Duration) =>
    makeTimestamp(a.seconds - b.seconds, a.nanos - b.nanos),
  ),
  fn("_*_(int, int) -> int", integer.multiplyInt),
  fn(
    "_*_(uint, uint) -> uint",
    integer.uintOperation((a, b) => a * b),
  ),
  fn(
    "_*_(double, double) -> double",
    doubles((a, b) => a * b),
  ),
  fn("_/_(int, int) -> int", integer.divideInt),
  fn("_/_(uint, uint) -> uint", integer.divideUint),
  fn(
    "_/_(double, double) -> double",
    doubles((a, b) => a / b),
  ),
  fn("_%_(int, int) -> int", integer.remainderInt),
  fn("_%_(uint, uint) -> uint", integer.remainderUint),
  fn("-_(int) -> int", integer.negateInt),
  fn("-_(double) -> double", (a: Double) => new Double(-a.value)),
  fn("!_(bool) -> bool", (a: boolean) => !a),
];

const EQUALITY: Library = [
  fn("_==_(A, A) -> bool", (a: Value, b: Value, work: Work) => valuesEqual(a, b, work)),
  fn("_!=_(A, A) -> bool", (a: Value, b: Value, work: Work) => !valuesEqual(a, b, work)),
];

/** Code points decide, as in UTF-8, where JavaScript would let UTF-16 units. */
export function compareTexts(a: string, b: string): number {
  if (a === b) return 0;
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const one = a.charCodeAt(i);
    const other = b.charCodeAt(i);
    if (one === other) continue;
    // A surrogate stands for a code point above all others.
    const high = (unit: number) => unit >= 0xd800 && unit <= 0xdfff;
    return high(one) === high(other) ? one - other : high(one) ? 1 : -1;
  }
  return a.length - b.length;
}

const ORDERS: readonly [sign: string, holds: (order: number) => boolean][] = [
  ["_<_", (order) => order < 0],
  ["_<=_", (order) => order <= 0],
  ["_>_", (order) => order > 0],
  ["_>=_", (order) => order >= 0],
];
const NUMBERS = ["int", "uint", "double"];

function comparisons(): Overload[] {
  return ORDERS.flatMap(([sign, holds]) => [
    ...NUMBERS.flatMap((a) =>
      NUMBERS.map((b) => fn(`${sign}(${a}, ${b}) -> bool`, (x: Numeric, y: Numeric) => holds(compareNumbers(x, y)))),
    ),
    fn(`${sign}(bool, bool) -> bool`, (a: boolean, b: boolean) => holds(Number(a) - Number(b))),
    fn(`${sign}(string, string) -> bool`, (a: string, b: string) => holds(compareTexts(a, b))),
    fn(`${sign}(bytes, bytes) -> bool`, (a: Uint8Array, b: Uint8Array) => holds(Buffer.compare(a, b))),
    fn(`${sign}(timestamp, timestamp) -> bool`, (a: Timestamp, b: Timestamp) => holds(compareTimes(a, b))),
    fn(`${sign}(duration, duration) -> bool`, (a: Duration, b: Duration) => holds(compareTimes(a, b))),
  ]);
}

/** The element, or the failure that there is none. */
export function elementAt(list: readonly Value[], index: Value): Value | Failure {
  const at = keyOf(index);
  if (typeof at !== "number" && typeof at !== "bigint")
    return new Failure("invalid argument: a list index is a number");
  const element = list[Number(at)];
  return element === undefined
    ? new Failure(`index ${at} out of range: the list has ${list.length} elements`)
    : element;
}

export function valueAt(map: MapValue, key: Value): Result {
  const value = map.get(key);
  return value === undefined ? noSuchKey(key) : value;
}

export function noSuchKey(key: Value): Failure {
  const at = keyOf(key);
  return new Failure(`no such key: ${at === undefined ? "(not a key)" : String(at).slice(0, 128)}`);
}

const MEMBERSHIP: Library = [
  fn("@in(A, list(A)) -> bool", (value: Value, list: readonly Value[], work: Work) => {
    work.spend(list.length);
    return list.some((element) => valuesEqual(element, value, work));
  }),
  fn("@in(A, map(A, B)) -> bool", (key: Value, map: MapValue) => map.get(key) !== undefined),
  fn("_[_](list(A), int) -> A", elementAt),
  fn("_[_](map(A, B), A) -> B", valueAt),
];

/** The operators of the language. */
export function operators(): Library {
  return [...ARITHMETIC, ...EQUALITY, ...comparisons(), ...MEMBERSHIP];
}
