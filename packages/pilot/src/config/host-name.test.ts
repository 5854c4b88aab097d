import { expect, test } from "vitest";
import { bySpecificity, hostCovers, hostsMatch } from "./host-name.ts";

test.each([
  ["*", "a.com", true],
  ["*.com", "a.com", true],
  ["*.com", "*.a.com", true],
  ["*.a.com", "*.com", false],
  ["a.com", "a.com", true],
  ["a.com", "*.com", false],
  ["*a.com", "a.com", true],
  ["*.a.com", "a.com", false],
])("%s covers %s: %s", (outer, inner, expected) => expect(hostCovers(outer, inner)).toBe(expected));

test("hosts match when either covers the other", () => {
  expect(hostsMatch("*.a.com", "*.com")).toBe(true);
  expect(hostsMatch("x.a.com", "*.a.com")).toBe(true);
  expect(hostsMatch("*.a.com", "*.b.com")).toBe(false);
});

test("exact names, then the longest wildcard, then the alphabet", () => {
  expect(["*", "*.com", "b.com", "*.a.com", "a.com"].sort(bySpecificity)).toEqual([
    "a.com",
    "b.com",
    "*.a.com",
    "*.com",
    "*",
  ]);
});
