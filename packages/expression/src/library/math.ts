import { Failure, INT_OVERFLOW, NO_SUCH_OVERLOAD } from "../values/abnormal.ts";
import { compareNumbers, isNumeric, type Numeric } from "../values/equality.ts";
import { type Int, negateInt, normalInt } from "../values/integer.ts";
import { Double, type Result, Uint, type Value } from "../values/value.ts";
import { fn, type Library, type Overload, variadic } from "./overload.ts";

const NEGATIVE_OFFSET = new Failure("math: a shift by a negative offset");

/** The greatest for a sign of 1, the least for -1; the first of equal ones. */
function extreme(values: readonly Value[], sign: 1 | -1): Result {
  let best: Numeric | null = null;
  for (const value of values) {
    if (!isNumeric(value)) return NO_SUCH_OVERLOAD;
    if (best === null || compareNumbers(value, best) * sign > 0) best = value;
  }
  return best ?? new Failure("math: the list is empty");
}

function extremes(name: string, sign: 1 | -1): Overload[] {
  const ofNumbers = (type: string) => variadic(`${name}(${type}) -> ${type}`, (values) => extreme(values, sign));
  return [
    ...["int", "uint", "double"].map(ofNumbers),
    ...["list(int)", "list(uint)", "list(double)", "list(dyn)"].map((type) =>
      fn(`${name}(${type}) -> ${type.slice(5, -1)}`, (values: readonly Value[]) => extreme(values, sign)),
    ),
    ...MIXED.map(([first, second]) =>
      fn(`${name}(${first}, ${second}) -> dyn`, (...pair: [Value, Value, ...never[]]) =>
        extreme(pair.slice(0, 2), sign),
      ),
    ),
    variadic(`${name}(dyn, dyn, dyn) -> dyn`, (values) => extreme(values, sign)),
  ];
}

const MIXED = [
  ["int", "uint"],
  ["int", "double"],
  ["uint", "int"],
  ["uint", "double"],
  ["double", "int"],
  ["double", "uint"],
] as const;

const rounded = (name: string, round: (value: number) => number) =>
  fn(`math.${name}(double) -> double`, ({ value }: Double) => new Double(round(value)));

const tested = (name: string, test: (value: number) => boolean) =>
  fn(`math.${name}(double) -> bool`, ({ value }: Double) => test(value));

/** Halves away from zero. */
function round(value: number): number {
  return Number.isInteger(value) ? value : Math.sign(value) * Math.floor(Math.abs(value) + 0.5);
}

const wrapInt = (value: bigint): Int => normalInt(BigInt.asIntN(64, value));
const wrapUint = (value: bigint): Uint => new Uint(normalInt(BigInt.asUintN(64, value)));

function bitwise(name: string, operation: (a: bigint, b: bigint) => bigint): Overload[] {
  return [
    fn(`math.${name}(int, int) -> int`, (a: Int, b: Int) => wrapInt(operation(BigInt(a), BigInt(b)))),
    fn(`math.${name}(uint, uint) -> uint`, (a: Uint, b: Uint) => wrapUint(operation(BigInt(a.value), BigInt(b.value)))),
  ];
}

/** The bits move; a sign is a bit as any other. */
function shift(name: string, operation: (bits: bigint, by: bigint) => bigint): Overload[] {
  const move = (bits: bigint, by: Int) => (by > 63 ? 0n : operation(BigInt.asUintN(64, bits), BigInt(by)));
  return [
    fn(`math.${name}(int, int) -> int`, (a: Int, by: Int) => (by < 0 ? NEGATIVE_OFFSET : wrapInt(move(BigInt(a), by)))),
    fn(`math.${name}(uint, int) -> uint`, (a: Uint, by: Int) =>
      by < 0 ? NEGATIVE_OFFSET : wrapUint(move(BigInt(a.value), by)),
    ),
  ];
}

/** `math.greatest` and the rest of the mathematical extension. */
export function mathLibrary(): Library {
  return [
    ...extremes("math.greatest", 1),
    ...extremes("math.least", -1),
    rounded("ceil", Math.ceil),
    rounded("floor", Math.floor),
    rounded("round", round),
    rounded("trunc", Math.trunc),
    tested("isNaN", Number.isNaN),
    tested("isInf", (value) => Math.abs(value) === Number.POSITIVE_INFINITY),
    tested("isFinite", Number.isFinite),
    fn("math.abs(int) -> int", (a: Int) =>
      a < 0 ? (typeof a === "bigint" && a === -(2n ** 63n) ? INT_OVERFLOW : negateInt(a)) : a,
    ),
    fn("math.abs(uint) -> uint", (a: Uint) => a),
    fn("math.abs(double) -> double", ({ value }: Double) => new Double(Math.abs(value))),
    fn("math.sign(int) -> int", (a: Int) => (a < 0 ? -1 : a > 0 ? 1 : 0)),
    fn("math.sign(uint) -> uint", ({ value }: Uint) => new Uint(value > 0 ? 1 : 0)),
    fn("math.sign(double) -> double", ({ value }: Double) => new Double(Math.sign(value))),
    fn("math.sqrt(double) -> double", ({ value }: Double) => new Double(Math.sqrt(value))),
    fn("math.sqrt(int) -> double", (a: Int) => new Double(Math.sqrt(Number(a)))),
    fn("math.sqrt(uint) -> double", ({ value }: Uint) => new Double(Math.sqrt(Number(value)))),
    ...bitwise("bitAnd", (a, b) => a & b),
    ...bitwise("bitOr", (a, b) => a | b),
    ...bitwise("bitXor", (a, b) => a ^ b),
    fn("math.bitNot(int) -> int", (a: Int) => wrapInt(~BigInt(a))),
    fn("math.bitNot(uint) -> uint", ({ value }: Uint) => wrapUint(~BigInt(value))),
    ...shift("bitShiftLeft", (bits, by) => bits << by),
    ...shift("bitShiftRight", (bits, by) => bits >> by),
  ];
}
