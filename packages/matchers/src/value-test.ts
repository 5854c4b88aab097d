import type { MetadataMatcher } from "@mixerless/wire/envoy/type/matcher/v3/metadata";
import type { ValueMatcher } from "@mixerless/wire/envoy/type/matcher/v3/value";
import type { MatcherFault } from "./fault.ts";
import { compileStringMatcher } from "./string-matcher.ts";

/** True where a JSON value, or undefined for none, matches. */
export type ValueTest = (value: unknown) => boolean;

/** Compiles `envoy.type.matcher.v3.ValueMatcher`. */
export function compileValueMatcher(
  matcher: ValueMatcher | undefined,
  path: string,
  faults: MatcherFault[],
): ValueTest {
  const kind = matcher?.matchPattern;
  switch (kind?.case) {
    case "nullMatch":
      return (value) => value === null;
    case "boolMatch": {
      const want = kind.value;
      return (value) => value === want;
    }
    case "stringMatch": {
      const test = compileStringMatcher(kind.value, `${path}.stringMatch`, faults);
      return (value) => typeof value === "string" && test(value);
    }
    case "doubleMatch": {
      const pattern = kind.value.matchPattern;
      if (pattern.case === "exact") {
        const want = pattern.value;
        return (value) => value === want;
      }
      const start = pattern.value?.start ?? 0;
      const end = pattern.value?.end ?? 0;
      return (value) => typeof value === "number" && value >= start && value < end;
    }
    case "presentMatch": {
      const want = kind.value;
      return (value) => (value !== undefined) === want;
    }
    case "listMatch": {
      const pattern = kind.value.matchPattern;
      const test = compileValueMatcher(pattern.value, `${path}.listMatch.oneOf`, faults);
      return (value) => Array.isArray(value) && value.some(test);
    }
    case "orMatch": {
      const tests = kind.value.valueMatchers.map((one, i) =>
        compileValueMatcher(one, `${path}.orMatch.valueMatchers[${i}]`, faults),
      );
      return (value) => tests.some((test) => test(value));
    }
    default:
      faults.push({ path, message: "a value matcher is needed" });
      return () => false;
  }
}

/** What a metadata matcher looks at, and its test of the value found there. */
export interface MetadataTest {
  /** Name of the filter that wrote the metadata. */
  readonly filter: string;
  /** True where the metadata of {@link filter}, or undefined for none, match. */
  readonly test: ValueTest;
  /** The value that is looked at; undefined where there is none. */
  find(metadata: unknown): unknown;
}

/** Compiles `envoy.type.matcher.v3.MetadataMatcher`. */
export function compileMetadataMatcher(matcher: MetadataMatcher, path: string, faults: MatcherFault[]): MetadataTest {
  const keys = matcher.path.map(({ segment }) => segment.value ?? "");
  if (keys.length === 0) faults.push({ path: `${path}.path`, message: "at least one key is needed" });
  const test = compileValueMatcher(matcher.value, `${path}.value`, faults);
  const { invert } = matcher;
  return {
    filter: matcher.filter,
    test: (metadata) => test(lookUp(metadata, keys)) !== invert,
    find: (metadata) => lookUp(metadata, keys),
  };
}

function lookUp(metadata: unknown, keys: readonly string[]): unknown {
  let value = metadata;
  for (const key of keys) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Record<string, unknown>)[key];
  }
  return value;
}
