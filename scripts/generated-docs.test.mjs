import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { LABELS } from "../packages/extensions/src/stats/labels.ts";
import { standardMetrics } from "../packages/extensions/src/stats/metrics.ts";
import { metricReference } from "./metric-reference.mjs";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const run = promisify(execFile);

describe("generated documentation", () => {
  it("of metrics is what node scripts/metric-reference.mjs writes", () => {
    const metrics = standardMetrics().map((metric) => ({
      name: metric.name,
      type: metric.type,
      labels: metric.labels(),
    }));
    for (const [file, text] of metricReference(LABELS, metrics))
      expect(readFileSync(join(ROOT, file), "utf8")).toBe(text);
  });

  it("needs a text for every label and metric, and for no other", () => {
    expect(() => metricReference([...LABELS, "new_label"], [])).toThrow(/no text for label new_label/);
    expect(() => metricReference(LABELS, [])).toThrow(/none left of istio_requests_total/);
  });

  it("of error codes is what node scripts/errors-by-code.mjs writes", async () => {
    await expect(run(process.execPath, [join(ROOT, "scripts/errors-by-code.mjs"), "--check"])).resolves.toBeDefined();
  });
});
