import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { vocabularyReference } from "../packages/expression/src/vocabulary/reference.ts";
import { LABELS } from "../packages/extensions/src/stats/labels.ts";
import { standardMetrics } from "../packages/extensions/src/stats/metrics.ts";
import { resolveAttribute } from "../packages/proxy/src/extension-host/attributes/resolve.ts";
import { attributeReference } from "./attribute-reference.mjs";
import { NOT_KEPT } from "./attribute-texts.mjs";
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

  it("of attributes is what node scripts/attribute-reference.mjs writes", () => {
    for (const [file, text] of attributeReference(vocabularyReference()))
      expect(readFileSync(join(ROOT, file), "utf8")).toBe(text);
  });

  it("says of which attributes the embedded proxy never has a value", () => {
    const never = resolveAttribute(["request", "no such field"]);
    const absent = vocabularyReference()
      .attributes.map(({ name }) => name)
      // Whole sections of headers and states are the evaluator's own; of metadata only what is in them has a value.
      .filter((name) => !/^filter_state|headers|trailers|^metadata/.test(name))
      .filter((name) => resolveAttribute(name.split(".")) === never);
    const own = NOT_KEPT.filter((name) => !name.startsWith("metadata"));
    expect(absent.filter((name) => !/_metadata$/.test(name) || own.includes(name))).toEqual(own);
  });

  it("needs a text for every label and metric, and for no other", () => {
    expect(() => metricReference([...LABELS, "new_label"], [])).toThrow(/no text for label new_label/);
    expect(() => metricReference(LABELS, [])).toThrow(/none left of istio_requests_total/);
  });

  it("of error codes is what node scripts/errors-by-code.mjs writes", async () => {
    await expect(run(process.execPath, [join(ROOT, "scripts/errors-by-code.mjs"), "--check"])).resolves.toBeDefined();
  });
});
