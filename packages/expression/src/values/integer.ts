import { DIVISION_BY_ZERO, Failure, INT_OVERFLOW, MODULUS_BY_ZERO } from "./abnormal.ts";
import { Uint } from "./value.ts";

export type Int = number | bigint;

const INT_MIN = -(2n ** 63n);
const INT_MAX = 2n ** 63n - 1n;
const UINT_MAX = 2n ** 64n - 1n;

/** The one form that an integer has: a number where exact. Not for values out of range. */
export function normalInt(value: bigint): Int {
  return value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER ? Number(value) : value;
}

/** Of 64 bits with sign; a failure beyond. */
export function toInt(value: bigint): Int | Failure {
  return value < INT_MIN || value > INT_MAX ? INT_OVERFLOW : normalInt(value);
}

export function toUint(value: bigint): Uint | Failure {
  return value < 0n || value > UINT_MAX ? INT_OVERFLOW : new Uint(normalInt(value));
}

/** A double without its fraction. */
export function truncate(value: number, unsigned: boolean): Int | Uint | Failure {
  const low = unsigned ? -1 : -(2 ** 63);
  if (!(value > low && value < (unsigned ? 2 ** 64 : 2 ** 63))) return RANGE;
  const whole = Math.trunc(value) + 0;
  const int = Number.isSafeInteger(whole) ? whole : BigInt(whole);
  return unsigned ? new Uint(int) : int;
}

const RANGE = new Failure("range error: the number does not fit the type");

export function addInt(a: Int, b: Int): Int | Failure {
  if (typeof a === "number" && typeof b === "number") {
    const sum = a + b;
    if (Number.isSafeInteger(sum)) return sum;
  }
  return toInt(BigInt(a) + BigInt(b));
}

export function subtractInt(a: Int, b: Int): Int | Failure {
  if (typeof a === "number" && typeof b === "number") {
    const difference = a - b;
    if (Number.isSafeInteger(difference)) return difference;
  }
  return toInt(BigInt(a) - BigInt(b));
}

export function multiplyInt(a: Int, b: Int): Int | Failure {
  if (typeof a === "number" && typeof b === "number") {
    const product = a * b;
    // A zero may come out negative, which would be another value.
    if (Number.isSafeInteger(product)) return product + 0;
  }
  return toInt(BigInt(a) * BigInt(b));
}

export function divideInt(a: Int, b: Int): Int | Failure {
  if (b === 0) return DIVISION_BY_ZERO;
  if (typeof a === "number" && typeof b === "number") return Math.trunc(a / b) + 0;
  return toInt(BigInt(a) / BigInt(b));
}

export function remainderInt(a: Int, b: Int): Int | Failure {
  if (b === 0) return MODULUS_BY_ZERO;
  if (typeof a === "number" && typeof b === "number") return (a % b) + 0;
  return toInt(BigInt(a) % BigInt(b));
}

export function negateInt(a: Int): Int | Failure {
  return typeof a === "number" ? 0 - a : toInt(-a);
}

/** Applies an operation of ints to uints. */
export function uintOperation(operation: (a: bigint, b: bigint) => bigint): (a: Uint, b: Uint) => Uint | Failure {
  return (a, b) => toUint(operation(BigInt(a.value), BigInt(b.value)));
}

export function divideUint(a: Uint, b: Uint): Uint | Failure {
  return b.value === 0 ? DIVISION_BY_ZERO : new Uint(normalInt(BigInt(a.value) / BigInt(b.value)));
}

export function remainderUint(a: Uint, b: Uint): Uint | Failure {
  return b.value === 0 ? MODULUS_BY_ZERO : new Uint(normalInt(BigInt(a.value) % BigInt(b.value)));
}
