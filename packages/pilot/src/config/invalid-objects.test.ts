import { describe, expect, it } from "vitest";
import { object, service } from "../model/testing/push-of.ts";
import { ConfigStore } from "./config-store.ts";
import { readConfig } from "./read-config.ts";
import { INVALID_OBJECTS } from "./testing/invalid-objects.ts";

describe("a file set with invalid and suspicious objects", () => {
  const documents = INVALID_OBJECTS.map(([kind, , , spec], index) => object(kind, `bad-${index}`, spec));
  const good = [service("good"), object("DestinationRule", "good", { host: "good" })];
  const store = new ConfigStore();
  const text = [good[0], ...documents, good[1]].map((entry) => JSON.stringify(entry, null, 2)).join("\n---\n");
  store.apply([{ reading: readConfig({ file: "all.yaml", text }) }]);
  const lines = text.split("\n");

  it("still serves everything that is valid", () => {
    expect(store.snapshot().get("Service/default/good")).toBeDefined();
    expect(store.snapshot().get("DestinationRule/default/good")).toBeDefined();
    const warned = INVALID_OBJECTS.flatMap(([kind, severity], index) =>
      severity === "warning" ? [`${kind}/default/bad-${index}`] : [],
    );
    for (const key of warned) expect(store.snapshot().get(key), key).toBeDefined();
  });

  it.each(
    INVALID_OBJECTS.map(([kind, severity, path, spec], index) => ({
      name: `${kind} ${index} at ${path}: ${JSON.stringify(spec).slice(0, 90)}`,
      kind,
      severity,
      path,
      index,
    })),
  )("names object, path, line and cure: $name", ({ kind, severity, path, index }) => {
    const label = `${kind} default/bad-${index}`;
    const faults = store.faults().filter((fault) => fault.object === label && fault.severity === severity);
    const fault = faults.find(
      (entry) => entry.path === path || entry.path.startsWith(`${path}.`) || entry.path.startsWith(`${path}[`),
    );
    expect(fault, JSON.stringify(faults)).toBeDefined();
    expect(fault?.message).not.toBe("");
    expect(fault?.cure).not.toBe("");
    const begin = lines.findIndex((line) => line.includes(`"bad-${index}"`));
    const end = lines.findIndex((line, at) => at > begin && line === "---");
    // The line is one of this object's own.
    expect(fault?.line).toBeGreaterThan(begin - 6);
    expect(fault?.line).toBeLessThanOrEqual(end);
    if (severity === "error") expect(store.snapshot().get(`${kind}/default/bad-${index}`)).toBeUndefined();
  });
});
