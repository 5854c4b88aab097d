// Regular expressions, labels, header names and header values (§8.1).
import { RE2JS } from "re2js";
import type { StringMatch } from "../kinds/common.ts";
import type { Cursor } from "./cursor.ts";
import { object, optional } from "./object.ts";
import { checked, convert, describe, map, type Reader, string } from "./reader.ts";

const MAX_REGEX = 1024;

/** What keeps `text` from being an RE2 expression, or undefined. */
export function regexProblem(text: string): string | undefined {
  if (text === "") return "is empty.";
  if (text.length > MAX_REGEX) return `is longer than ${MAX_REGEX} characters.`;
  try {
    RE2JS.compile(text);
    return undefined;
  } catch (error) {
    return `does not compile: ${error instanceof Error ? error.message : String(error)}.`;
  }
}

export function checkRegex(text: string, at: Cursor): void {
  const problem = regexProblem(text);
  if (problem !== undefined) {
    at.error(
      "bad-regex",
      `The expression ${describe(text)} ${problem}`,
      "Use RE2 syntax: no look-around, no back references.",
    );
  }
}

/**
 * A StringMatch. An object without exact, prefix and regex asks only for presence. What else is forbidden
 * differs from field to field: see {@link forbidEmptyMatch}.
 */
export const stringMatch: Reader<StringMatch> = convert(
  object({ exact: optional(string), prefix: optional(string), regex: optional(string) }),
  (written, at) => {
    const types = (["exact", "prefix", "regex"] as const).filter((type) => written[type] !== undefined);
    const [type] = types;
    if (types.length > 1) {
      at.error("several-alternatives", `${types.join(" and ")} are set together.`, "Keep one of them.");
      return undefined;
    }
    return Object.freeze<StringMatch>(
      type === undefined ? { type: "present", value: "" } : { type, value: written[type] ?? "" },
    );
  },
);

/** The rules of §8.4: no empty prefix or regex, and a regex must compile. */
export function forbidEmptyMatch(match: StringMatch, at: Cursor): void {
  if (match.type === "prefix" && match.value === "") {
    at.at("prefix").error("empty-text", "The prefix is empty and would match everything.", "Remove the condition.");
  }
  if (match.type === "regex") checkRegex(match.value, at.at("regex"));
}

const LABEL_NAME = /^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/;
const LABEL_PREFIX = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

export function labelKeyProblem(key: string): string | undefined {
  const slash = key.indexOf("/");
  const prefix = slash < 0 ? undefined : key.slice(0, slash);
  const name = key.slice(slash + 1);
  if (prefix !== undefined && (prefix.length > 253 || !LABEL_PREFIX.test(prefix)))
    return "has a prefix that is no DNS name.";
  return name.length <= 63 && LABEL_NAME.test(name) ? undefined : "is no label name of at most 63 characters.";
}

export function labelValueProblem(value: string): string | undefined {
  if (value === "" || (value.length <= 63 && LABEL_NAME.test(value))) return undefined;
  return "is no label value of at most 63 characters.";
}

/** Labels with the Kubernetes rules for keys and values. */
export const labels: Reader<Readonly<Record<string, string>>> = map(
  checked(string, (value, at) => {
    const problem = labelValueProblem(value);
    if (problem !== undefined) at.error("bad-label", `${describe(value)} ${problem}`, LABEL_CURE);
  }),
  {
    key: (key, at) => {
      const problem = labelKeyProblem(key);
      if (problem !== undefined) at.error("bad-label", `The key ${describe(key)} ${problem}`, LABEL_CURE);
    },
  },
);

const LABEL_CURE = "Use letters, digits, -, _ and ., beginning and ending with a letter or digit.";

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

export function checkHeaderName(name: string, at: Cursor): void {
  if (TOKEN.test(name)) return;
  at.error("bad-header", `${describe(name)} is no header name.`, "Use letters, digits and hyphens.");
}

/** What keeps `value` from being a header value with Envoy's `%VAR(args)%` substitutions, or undefined. */
export function headerValueProblem(value: string): string | undefined {
  for (const character of value) {
    const code = character.charCodeAt(0);
    if ((code < 0x20 && code !== 0x09) || code === 0x7f) return "has a control character.";
  }
  // Substitutions are `%NAME%` or `%NAME(anything without %)%`, plus an optional `:length`; `%%` is a percent sign.
  const rest = value.replace(/%%|%[A-Za-z_]+(\([^%]*\))?(:\d+)?%/g, "");
  return rest.includes("%") ? "has a % that begins no substitution." : undefined;
}

export function checkHeaderValue(value: string, at: Cursor): void {
  const problem = headerValueProblem(value);
  if (problem !== undefined) at.error("bad-header", `${describe(value)} ${problem}`, "Write %% for a percent sign.");
}
