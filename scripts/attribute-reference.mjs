// Writes the reference of attributes and functions of expressions into the docs. Build first:
// node scripts/attribute-reference.mjs
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { NOT_KEPT, SINGLE, TEXTS } from "./attribute-texts.mjs";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

const PAGES = [
  {
    file: "docs/reference/attributes.md",
    language: 0,
    title: "# Attributes and functions of expressions",
    intro:
      "Labels and values of statistics, filters and formats of access logs may be [CEL](https://cel.dev) expressions, such as `response.code >= 400 && request.method == 'GET'`. They read these attributes. One that is absent makes the evaluation fail, unless the other side of `&&` or `||` decides, or `has(request.id)` asked first; whether there is a header tells `'x-user' in request.headers`. A label whose expression fails reads `unknown`, a line whose filter fails is not logged, a format prints `-`; `mixerless_expression_errors_total` counts failures by the expression.",
    columns: ["Attribute", "Type", "What"],
    absent: " (absent in the embedded proxy)",
    headings: ["## Attributes", "## Names of older releases", "## Functions", "## Limits"],
    legacy: "These names of Istio before 1.24 still work; new expressions should use the others.",
    legacyColumns: ["Old", "New"],
    generated: "`istio_…`, e.g. `istio_responseClass` | `filter_state['wasm.istio_responseClass']`",
    functions:
      "Operators are `+ - * / %`, `== != < <= > >=`, `&& || !`, `? :`, `in`, `[ ]` and `.`; macros are `has(a.b)`, and on lists and maps `all(x, …)`, `exists(x, …)`, `exists_one(x, …)`, `filter(x, …)`, `map(x, …)`. Ints have 64 bits and fail where they overflow. Patterns are RE2's, found anywhere in the text.",
    functionColumns: ["Function", "In Envoy"],
    yes: "yes",
    maybe: "not promised",
    limits: [
      "An expression has 32,768 characters, 10,000 parts and 200 levels of nesting at most.",
      "One evaluation takes 10,000 steps at most: turns of loops, compared elements, each 16 characters joined. What exceeds that fails.",
      "A pattern has 4,096 characters at most and takes linear time, whatever it is.",
    ],
  },
  {
    file: "docs/zh-CN/reference/attributes.md",
    language: 1,
    title: "# 表达式的属性与函数",
    intro:
      "统计的标签与值、访问日志的过滤器与格式都可以是 [CEL](https://cel.dev) 表达式，例如 `response.code >= 400 && request.method == 'GET'`。表达式读取下列属性。属性不存在时求值失败，除非 `&&` 或 `||` 的另一侧已能决定结果，或先用 `has(request.id)` 判断；某个头是否存在写作 `'x-user' in request.headers`。表达式失败的标签为 `unknown`，过滤器失败的日志行不输出，格式输出 `-`；`mixerless_expression_errors_total` 按表达式统计失败次数。",
    columns: ["属性", "类型", "含义"],
    absent: "（内嵌代理中不存在）",
    headings: ["## 属性", "## 旧版本的名称", "## 函数", "## 限制"],
    legacy: "Istio 1.24 之前的这些名称仍然可用；新的表达式请使用右列。",
    legacyColumns: ["旧", "新"],
    generated: "`istio_…`，如 `istio_responseClass` | `filter_state['wasm.istio_responseClass']`",
    functions:
      "运算符有 `+ - * / %`、`== != < <= > >=`、`&& || !`、`? :`、`in`、`[ ]` 与 `.`；宏有 `has(a.b)`，以及作用于列表和映射的 `all(x, …)`、`exists(x, …)`、`exists_one(x, …)`、`filter(x, …)`、`map(x, …)`。整数为 64 位，溢出即失败。正则为 RE2 语法，在文本任意位置匹配。",
    functionColumns: ["函数", "Envoy"],
    yes: "有",
    maybe: "不保证",
    limits: [
      "一个表达式最多 32,768 个字符、10,000 个节点、200 层嵌套。",
      "一次求值最多 10,000 步：循环次数、比较的元素、每连接 16 个字符各计一步。超出即失败。",
      "一个正则最多 4,096 个字符，无论如何书写都只需线性时间。",
    ],
  },
];

/** Old names that have another one now. */
const LEGACY = {
  node: "xds.node",
  cluster_name: "xds.cluster_name",
  cluster_metadata: "xds.cluster_metadata",
  route_name: "xds.route_name",
  route_metadata: "xds.route_metadata",
  upstream_host_metadata: "xds.upstream_host_metadata",
  listener_direction: "xds.listener_direction",
  listener_metadata: "xds.listener_metadata",
  connection_id: "connection.id",
  upstream_peer: "filter_state.upstream_peer",
  downstream_peer: "filter_state.downstream_peer",
};

/** File → text of each page, of the package's own tables: see `packages/expression/src/vocabulary/reference.ts`. */
export function attributeReference({ attributes, legacy, functions }) {
  const described = [
    ...Object.keys(SINGLE),
    ...Object.entries(TEXTS).flatMap(([group, fields]) => under(group, fields)),
  ];
  check(
    "attribute",
    attributes.map(({ name }) => name),
    described,
  );
  check("old name", legacy, Object.keys(LEGACY));
  return new Map(PAGES.map((page) => [page.file, render(page, attributes, functions)]));
}

function under(group, fields) {
  return Object.keys(fields).map((field) => `${group}.${field}`);
}

function check(what, names, described) {
  const missing = names.filter((name) => !described.includes(name));
  const gone = described.filter((name) => !names.includes(name));
  if (missing.length + gone.length > 0)
    throw new Error(`attribute-texts.mjs: no text for ${what} ${missing.join(", ")}; none left of ${gone.join(", ")}`);
}

function textOf(name) {
  const dot = name.lastIndexOf(".");
  return SINGLE[name] ?? TEXTS[name.slice(0, dot)][name.slice(dot + 1)];
}

function render(page, attributes, functions) {
  const rows = attributes.map(({ name, type }) => {
    const text = textOf(name)[page.language] + (NOT_KEPT.includes(name) ? page.absent : "");
    return [`\`${name}\``, type, text.replaceAll("|", "\\|")];
  });
  const legacyRows = Object.entries(LEGACY).map(([old, now]) => [`\`${old}\``, `\`${now}\``]);
  const functionRows = functions.map(({ signature, standard }) => [
    `\`${signature}\``,
    standard ? page.yes : page.maybe,
  ]);
  const [attributeHeading, legacyHeading, functionHeading, limitHeading] = page.headings;
  const parts = [
    page.title,
    page.intro,
    attributeHeading,
    table(page.columns, rows),
    legacyHeading,
    page.legacy,
    table(page.legacyColumns, [...legacyRows, page.generated.split(" | ")]),
    functionHeading,
    page.functions,
    table(page.functionColumns, functionRows),
    limitHeading,
    page.limits.map((limit) => `- ${limit}`).join("\n"),
  ];
  return `${parts.join("\n\n")}\n`;
}

function table(header, rows) {
  return [header, header.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const path = join(ROOT, "packages/expression/dist/vocabulary/reference.js");
  const { vocabularyReference } = await import(pathToFileURL(path).href);
  for (const [file, text] of attributeReference(vocabularyReference())) writeFileSync(join(ROOT, file), text);
}
