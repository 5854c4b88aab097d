import type { FaultCode } from "../fault.ts";

/** Why a JSON value was not taken. Returned instead of a value; the caller knows the path. */
export class Refusal {
  readonly code: FaultCode;
  readonly message: string;

  constructor(code: FaultCode, message: string) {
    this.code = code;
    this.message = message;
  }
}

const longestExcerpt = 40;

/** The fault of a value of the wrong type. */
export function wrongType(expected: string, json: unknown): Refusal {
  return new Refusal("WIRE_WRONG_TYPE", `expected ${expected}, got ${describeJson(json)}`);
}

/** A few words for a JSON value, for messages: `the string "abc"`, `a list`. */
export function describeJson(json: unknown): string {
  if (json === null) return "null";
  if (Array.isArray(json)) return "a list";
  if (typeof json === "object") return "an object";
  if (typeof json === "string") return `the string ${excerpt(json)}`;
  if (typeof json === "function" || typeof json === "symbol") return `a ${typeof json}`;
  return `${typeof json} ${json}`;
}

/** A string in quotes, shortened. */
export function excerpt(text: string): string {
  return JSON.stringify(text.length > longestExcerpt ? `${text.slice(0, longestExcerpt)}…` : text);
}

/** True for what JSON calls an object. */
export function isJsonObject(json: unknown): json is Record<string, unknown> {
  return typeof json === "object" && json !== null && !Array.isArray(json);
}
