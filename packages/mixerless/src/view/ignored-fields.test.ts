import { describe, expect, it } from "vitest";
import { ignoredFieldsOf, ignoredLines } from "./ignored-fields.ts";

const entry = (resources: number) => ({
  ...{ type: "envoy.config.listener.v3.Listener", field: "stat_prefix", resources },
  example: { resource: "listener l", path: "statPrefix" },
});
const page = (...fields: unknown[]) => ignoredFieldsOf(200, JSON.stringify({ ignored_fields: fields }));

describe("fields that a proxy ignores", () => {
  it("stand one on a line, with the first resource and the number of others", () => {
    const line = "  envoy.config.listener.v3.Listener stat_prefix (listener l: statPrefix";
    expect(ignoredLines(page(entry(1), entry(3)))).toBe(
      `Ignored fields (accepted by the proxy, not acted on)\n${line})\n${line}, and 2 more)\n`,
    );
  });

  it("tell none apart from a proxy that has no such page, as Envoy", () => {
    expect(ignoredLines(page())).toBe("Ignored fields: none\n");
    expect(ignoredFieldsOf(404, "invalid path")).toBeNull();
    expect(ignoredFieldsOf(200, "not JSON")).toBeNull();
    expect(ignoredLines(null)).toBe("Ignored fields: this proxy does not tell\n");
  });
});
