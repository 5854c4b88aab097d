import { create } from "@bufbuild/protobuf";
import { DurationSchema } from "@bufbuild/protobuf/wkt";
import { describe, expect, it } from "vitest";
import { UpstreamHttpProtocolOptionsSchema } from "#generated/envoy/config/core/v3/protocol_pb.js";
import { KnownRegex } from "#generated/validate/validate_pb.js";
import { bytesChecks } from "./bytes-rules.ts";
import type { Check } from "./check.ts";
import { numberChecks } from "./number-rules.ts";
import { stringChecks } from "./string-rules.ts";
import { durationChecks } from "./time-rules.ts";
import { validateMessage } from "./validate-message.ts";

function first(checks: readonly Check[], value: unknown): string | undefined {
  return checks.map((check) => check(value)).find((broken) => broken !== undefined);
}

function string(rules: Record<string, unknown>, text: string): string | undefined {
  return first(stringChecks(new Map(Object.entries(rules))), text);
}

const name = KnownRegex.HTTP_HEADER_NAME;
const value = KnownRegex.HTTP_HEADER_VALUE;

describe("rules of strings", () => {
  it.each<[Record<string, unknown>, string[], string[]]>([
    [{ maxLen: 2n }, ["", "ab", "😀😀"], ["abc"]],
    [{ minLen: 2n }, ["ab", "😀😀"], ["a", "😀"]],
    [{ len: 1n }, ["a", "😀"], ["", "ab"]],
    [{ maxBytes: 4n }, ["abcd", "😀"], ["éée"]],
    [{ minBytes: 2n }, ["é"], ["e"]],
    [{ lenBytes: 2n }, ["é"], ["e"]],
    [{ const: "a" }, ["a"], [""]],
    [{ prefix: "a", suffix: "z", contains: "m", notContains: "q" }, ["amz"], ["mz", "am", "az", "amqz"]],
    [{ in: ["a", "b"] }, ["a"], ["c"]],
    [{ notIn: ["a", "b"] }, ["c"], ["a"]],
    [{ pattern: "^a+$" }, ["aa"], ["ab"]],
    [{ minLen: 3n, ignoreEmpty: true }, ["", "abc"], ["a"]],
    [{ hostname: true }, ["a", "a-b.c", "a.b."], ["", "-a", "a..b", "a_b", "a".repeat(64)]],
    [{ ip: true }, ["1.2.3.4", "::1"], ["1.2.3", "a"]],
    [{ ipv4: true }, ["1.2.3.4"], ["::1", "1.2.3.256"]],
    [{ ipv6: true }, ["::1", "fe80::1"], ["1.2.3.4", "fe80::1%eth0"]],
    [{ address: true }, ["a.b", "1.2.3.4", "::1"], ["a b"]],
    [{ uri: true }, ["http://a/b?c#d", "urn:x", "a:%20"], ["/a", "http://a b", "a:%2"]],
    [{ uriRef: true }, ["/a", "http://a"], ["a b", "<"]],
    [{ email: true }, ["a@b.c"], ["a", "@b", "a@-b", "a b@c"]],
    [{ uuid: true }, ["123e4567-e89b-12d3-a456-426614174000"], ["123e4567"]],
    [{ wellKnownRegex: name }, [":path", "x-a", "a|b"], ["", "a b", "a:", "::a", "é"]],
    [{ wellKnownRegex: name, strict: false }, ["a b", ""], ["a\r", "a\0"]],
    [{ wellKnownRegex: value }, ["a\tb", "é", ""], ["a\x01", "a\n", "\x7f"]],
    [{ wellKnownRegex: value, strict: false }, ["a\x01"], ["a\n"]],
  ])("%o", (rules, good, bad) => {
    for (const text of good) expect(string(rules, text)).toBeUndefined();
    for (const text of bad) expect(string(rules, text)).toMatch(/^must /);
  });

  it("need not hold for an empty string that the definition ignores", () => {
    const options = create(UpstreamHttpProtocolOptionsSchema);
    expect(validateMessage(UpstreamHttpProtocolOptionsSchema, options)).toEqual([]);
    options.overrideAutoSniHeader = "not a name";
    expect(validateMessage(UpstreamHttpProtocolOptionsSchema, options)[0]?.path).toBe("overrideAutoSniHeader");
  });
});

describe("rules of numbers", () => {
  it.each<[Record<string, unknown>, (number | bigint)[], (number | bigint)[]]>([
    [{ gt: 1, lte: 3 }, [2, 3], [1, 4]],
    [{ gte: 1n, lt: 3n }, [1n, 2n], [0n, 3n]],
    [{ gte: 0 }, [0], [-1, Number.NaN]],
    [{ const: 1 }, [1], [2]],
    [{ in: [1, 2] }, [1], [3]],
    [{ notIn: [1, 2] }, [3], [1]],
    [{ gte: 5, ignoreEmpty: true }, [0, 5], [4]],
    [{ gte: 5n, ignoreEmpty: true }, [0n, 5n], [4n]],
  ])("%o", (rules, good, bad) => {
    const checks = numberChecks(new Map(Object.entries(rules)));
    for (const number of good) expect(first(checks, number)).toBeUndefined();
    for (const number of bad) expect(first(checks, number)).toMatch(/^must /);
  });
});

describe("rules of bytes", () => {
  const bytes = (...values: number[]) => new Uint8Array(values);
  it.each<[Record<string, unknown>, Uint8Array[], Uint8Array[]]>([
    [{ len: 1n }, [bytes(1)], [bytes()]],
    [{ minLen: 1n, maxLen: 2n }, [bytes(1), bytes(1, 2)], [bytes(), bytes(1, 2, 3)]],
    [{ minLen: 2n, ignoreEmpty: true }, [bytes()], [bytes(1)]],
    [{ const: bytes(1) }, [bytes(1)], [bytes(2)]],
    [
      { prefix: bytes(1), suffix: bytes(3), contains: bytes(2) },
      [bytes(1, 2, 3)],
      [bytes(2, 3), bytes(1, 2), bytes(1, 3)],
    ],
    [{ in: [bytes(1)] }, [bytes(1)], [bytes(2)]],
    [{ notIn: [bytes(1)] }, [bytes(2)], [bytes(1)]],
    [{ ipv4: true }, [bytes(1, 2, 3, 4)], [bytes(1)]],
    [{ ip: true }, [bytes(1, 2, 3, 4), new Uint8Array(16)], [bytes(1)]],
  ])("%o", (rules, good, bad) => {
    const checks = bytesChecks(new Map(Object.entries(rules)));
    for (const value of good) expect(first(checks, value)).toBeUndefined();
    for (const value of bad) expect(first(checks, value)).toMatch(/^must /);
  });
});

describe("rules of durations", () => {
  const duration = (seconds: bigint, nanos = 0) => create(DurationSchema, { seconds, nanos });
  it("compare to the nanosecond, with the sign", () => {
    const checks = durationChecks(
      new Map([
        ["gte", duration(0n, 1_000_000)],
        ["lt", duration(2n)],
      ]),
    );
    expect(first(checks, duration(0n, 1_000_000))).toBeUndefined();
    expect(first(checks, duration(0n, 999_999))).toBe("must be at least 0.001s");
    expect(first(checks, duration(-1n, -1))).toBe("must be at least 0.001s");
    expect(first(checks, duration(2n))).toBe("must be less than 2s");
  });

  it("compare with lists", () => {
    expect(first(durationChecks(new Map([["in", [duration(1n)]]])), duration(2n))).toBe("must be one of 1s");
    expect(first(durationChecks(new Map([["notIn", [duration(1n)]]])), duration(1n))).toBe("must not be one of 1s");
  });
});

it("refuses a rule that has no interpreter", () => {
  expect(() => stringChecks(new Map([["novel", true]]))).toThrow("the validation rule novel has no interpreter");
});
