import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { VirtualClock } from "../packages/clock/src/index.ts";
import { vocabularyReference } from "../packages/expression/src/vocabulary/reference.ts";
import { LABELS } from "../packages/extensions/src/stats/labels.ts";
import { standardMetrics } from "../packages/extensions/src/stats/metrics.ts";
import { AuthorityMetrics } from "../packages/pilot/src/authority/authority-metrics.ts";
import { PilotMetrics } from "../packages/pilot/src/server/pilot-metrics.ts";
import { PUSH_STATUS } from "../packages/pilot/src/server/push-status.ts";
import { resolveAttribute } from "../packages/proxy/src/extension-host/attributes/resolve.ts";
import { TypeUrl } from "../packages/xds/src/index.ts";
import { attributeReference } from "./attribute-reference.mjs";
import { NOT_KEPT } from "./attribute-texts.mjs";
import { controlPlaneMetrics } from "./control-plane-metrics.mjs";
import { metricReference } from "./metric-reference.mjs";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const run = promisify(execFile);
const CONTROL_PLANE = { PilotMetrics, AuthorityMetrics, PUSH_STATUS, VirtualClock, TypeUrl };

describe("generated documentation", () => {
  it("of metrics is what node scripts/metric-reference.mjs writes", () => {
    const metrics = standardMetrics().map((metric) => ({
      name: metric.name,
      type: metric.type,
      labels: metric.labels(),
    }));
    const controlPlane = controlPlaneMetrics(CONTROL_PLANE);
    for (const [file, text] of metricReference(LABELS, metrics, controlPlane))
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
    expect(() => metricReference([...LABELS, "new_label"], [], [])).toThrow(/no text for label new_label/);
    expect(() => metricReference(LABELS, [], [])).toThrow(/none left of istio_requests_total/);
    const metrics = standardMetrics().map((metric) => ({ name: metric.name, type: metric.type, labels: [] }));
    const controlPlane = [...controlPlaneMetrics(CONTROL_PLANE), { name: "pilot_new", type: "gauge", labels: [] }];
    expect(() => metricReference(LABELS, metrics, controlPlane)).toThrow(/no text for metric of the .* pilot_new/);
  });

  it("of error codes is what node scripts/errors-by-code.mjs writes", async () => {
    await expect(run(process.execPath, [join(ROOT, "scripts/errors-by-code.mjs"), "--check"])).resolves.toBeDefined();
  });
});
