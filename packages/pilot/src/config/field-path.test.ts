import { expect, test } from "vitest";
import { formatPath, parsePath } from "./field-path.ts";

test.each([
  [["spec", "http", 0, "route", 1, "weight"], "spec.http[0].route[1].weight"],
  [["metadata", "labels", "app.kubernetes.io/name"], 'metadata.labels["app.kubernetes.io/name"]'],
  [["a", "", 'b"c'], 'a[""]["b\\"c"]'],
  [[], ""],
])("%j is %s, and back", (segments, text) => {
  expect(formatPath(segments)).toBe(text);
  expect(parsePath(text)).toEqual(segments);
});

test("a number as key is no index", () => expect(formatPath(["ports", "80"])).toBe('ports["80"]'));
