import { describe, expect, it } from "vitest";
import { negotiate } from "./negotiate.ts";

const PROTOBUF = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited";

describe("the format for an Accept header", () => {
  it.each([
    ["", "text"],
    ["/", "text"],
    ["*/*", "text"],
    ["text/plain", "text"],
    ["text/*", "text"],
    ["application/*", "openmetrics"],
    ["application/openmetrics-text", "openmetrics"],
    ["application/openmetrics-text; version=1.0.0; charset=utf-8", "openmetrics"],
    ['application/openmetrics-text; version="1.0.0"', "openmetrics"],
    ["application/openmetrics-text; version=2.0.0", "text"],
    ["APPLICATION/OPENMETRICS-TEXT", "openmetrics"],
    [PROTOBUF, "text"],
    [`${PROTOBUF};q=0.7,text/plain;version=0.0.4;q=0.3`, "text"],
    [`${PROTOBUF};q=0.9,application/openmetrics-text;version=1.0.0;q=0.6,text/plain;q=0.5`, "openmetrics"],
    ["text/plain;q=0.5,application/openmetrics-text;q=0.4", "text"],
    ["text/plain;q=0.4,application/openmetrics-text;q=0.5", "openmetrics"],
    ["application/openmetrics-text;q=0,*/*;q=0.1", "text"],
    ["application/openmetrics-text;q=nonsense", "text"],
    ["text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "text"],
    [
      "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
      "openmetrics",
    ],
    [`${"x,".repeat(100_000)}application/openmetrics-text`, "text"],
  ])("%.80j is %s", (accept, format) => {
    expect(negotiate(accept).name).toBe(format);
  });

  it("is text without a header", () => {
    expect(negotiate(undefined)).toEqual({ name: "text", contentType: "text/plain; version=0.0.4; charset=utf-8" });
    expect(negotiate(null).name).toBe("text");
  });

  it("answers in the version that was asked for", () => {
    expect(negotiate("application/openmetrics-text").contentType).toBe(
      "application/openmetrics-text; version=1.0.0; charset=utf-8",
    );
    expect(negotiate("application/openmetrics-text;version=0.0.1").contentType).toBe(
      "application/openmetrics-text; version=0.0.1; charset=utf-8",
    );
  });
});
