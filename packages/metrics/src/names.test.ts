import { describe, expect, it } from "vitest";
import { isLabelName, isMetricName, sanitizeLabelName, sanitizeMetricName } from "./names.ts";

describe("names", () => {
  it.each([
    ["istio_requests_total", "istio_requests_total"],
    ["cluster.outbound|80||a.b;.x", "cluster_outbound_80__a_b__x"],
    ["a:b", "a:b"],
    ["9lives", "_9lives"],
    ["", "_"],
    ["é", "_"],
  ])("makes %j the metric name %j", (name, clean) => {
    expect(sanitizeMetricName(name)).toBe(clean);
    expect(isMetricName(clean)).toBe(true);
  });

  it.each([
    ["source_app", "source_app"],
    ["request.host", "request_host"],
    ["a:b", "a_b"],
    ["1st", "_1st"],
    ["", "_"],
  ])("makes %j the label name %j", (name, clean) => {
    expect(sanitizeLabelName(name)).toBe(clean);
    expect(isLabelName(clean)).toBe(true);
  });

  it("cuts long label names", () => {
    expect(sanitizeLabelName("l".repeat(1000))).toHaveLength(128);
  });
});
