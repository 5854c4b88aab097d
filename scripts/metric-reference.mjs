// Writes the reference of the mesh's metrics into the docs. Build first: node scripts/metric-reference.mjs
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { controlPlaneMetrics } from "./control-plane-metrics.mjs";
import { CONTROL_PLANE } from "./control-plane-texts.mjs";
import { CARDINALITY, LABELS as LABEL_TEXTS, METRICS as METRIC_TEXTS } from "./metric-texts.mjs";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const TYPES = ["counter", "gauge", "histogram"];

const PAGES = [
  {
    file: "docs/reference/metrics.md",
    language: 0,
    title: "# Metrics",
    intro:
      "What every sidecar measures, by the names that Istio's dashboards and Kiali ask for. Both ends of a call count it. A label whose value nobody knows reads `unknown`; one that the proxy's own node leaves out is empty. Each metric has a budget of series (10,000): what exceeds it counts in one series with `mixerless_overflow=\"true\"` and in `mixerless_series_overflow_total`. A series that nothing changed for 10 minutes goes; its total stays in `mixerless_expired_total`.",
    metrics: ["Metric", "Type", "What", "Labels"],
    labels: ["Label", "Values", "What"],
    headings: ["## Metrics", "## Labels, in their order"],
    controlPlane: [
      "## The control plane's own",
      "At `/metrics` of the control plane, by Istio's names. Gauges of oddities (`pilot_conflict_…`, `pilot_no_ip` and so on) are set anew with every push.",
    ],
    help: ({ help }) => help,
    all: "all",
    but: (names) => `all but ${names.join(", ")}`,
  },
  {
    file: "docs/zh-CN/reference/metrics.md",
    language: 1,
    title: "# 指标",
    intro:
      '每个 sidecar 测量的内容，名称与 Istio 仪表盘和 Kiali 的查询一致。一次调用由两端各计一次。没人知道的标签值为 `unknown`；代理自身节点未给出的为空。每个指标的序列数有上限（10,000）：超出部分计入带 `mixerless_overflow="true"` 的一条序列，以及 `mixerless_series_overflow_total`。10 分钟没有变化的序列会消失，其总数保留在 `mixerless_expired_total` 中。',
    metrics: ["指标", "类型", "含义", "标签"],
    labels: ["标签", "取值数量", "含义"],
    headings: ["## 指标", "## 标签（按输出顺序）"],
    controlPlane: [
      "## 控制面自身的指标",
      "位于控制面的 `/metrics`，名称与 Istio 一致。表示异常情况的 gauge（`pilot_conflict_…`、`pilot_no_ip` 等）在每次推送时重新设置。",
    ],
    help: ({ name }) => CONTROL_PLANE[name],
    all: "全部",
    but: (names) => `除 ${names.join("、")} 外全部`,
  },
];

/**
 * File → text of each page. `labels` in their order; `metrics` with name, type and labels, as the extension has them;
 * `controlPlane` the same with the help of each.
 */
export function metricReference(labels, metrics, controlPlane) {
  check("label", labels, Object.keys(LABEL_TEXTS));
  check(
    "metric",
    metrics.map(({ name }) => name),
    Object.keys(METRIC_TEXTS),
  );
  check(
    "metric of the control plane",
    controlPlane.map(({ name }) => name),
    Object.keys(CONTROL_PLANE),
  );
  return new Map(PAGES.map((page) => [page.file, render(page, labels, metrics, controlPlane)]));
}

function check(what, names, described) {
  const missing = names.filter((name) => !described.includes(name));
  const gone = described.filter((name) => !names.includes(name));
  if (missing.length + gone.length > 0)
    throw new Error(`metric-texts.mjs: no text for ${what} ${missing.join(", ")}; none left of ${gone.join(", ")}`);
}

function render(page, labels, metrics, controlPlane) {
  const { language, title, intro, metrics: metricHeader, labels: labelHeader, headings, all, but } = page;
  const metricRows = metrics.map(({ name, type, labels: own }) => {
    const lacking = labels.filter((label) => !own.includes(label)).map((label) => `\`${label}\``);
    return [`\`${name}\``, TYPES[type], METRIC_TEXTS[name][language], lacking.length === 0 ? all : but(lacking)];
  });
  const labelRows = labels.map((label) => {
    const [cardinality, ...texts] = LABEL_TEXTS[label];
    return [`\`${label}\``, CARDINALITY[cardinality][language], texts[language]];
  });
  const [metricHeading, labelHeading] = headings;
  const parts = [
    title,
    intro,
    metricHeading,
    table(metricHeader, metricRows),
    labelHeading,
    table(labelHeader, labelRows),
    ...page.controlPlane,
    table(metricHeader, controlPlane.map(controlPlaneRow(page.help))),
  ];
  return `${parts.join("\n\n")}\n`;
}

function controlPlaneRow(textOf) {
  return (metric) => {
    const labels = metric.labels.map((label) => `\`${label}\``).join(", ");
    return [`\`${metric.name}\``, metric.type, textOf(metric), labels === "" ? "–" : labels];
  };
}

function table(header, rows) {
  return [header, header.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const folder = pathToFileURL(join(ROOT, "packages/extensions/dist/stats/")).href;
  const { LABELS } = await import(`${folder}labels.js`);
  const { standardMetrics } = await import(`${folder}metrics.js`);
  const built = (path) => import(pathToFileURL(join(ROOT, "packages", path)).href);
  const controlPlane = controlPlaneMetrics({
    ...(await built("pilot/dist/server/pilot-metrics.js")),
    ...(await built("pilot/dist/server/push-status.js")),
    ...(await built("pilot/dist/authority/authority-metrics.js")),
    ...(await built("clock/dist/index.js")),
    ...(await built("xds/dist/index.js")),
  });
  const metrics = standardMetrics().map((metric) => ({
    name: metric.name,
    type: metric.type,
    labels: metric.labels(),
  }));
  for (const [file, text] of metricReference(LABELS, metrics, controlPlane)) writeFileSync(join(ROOT, file), text);
}
