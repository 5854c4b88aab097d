// Writes the list of configuration errors, by code, into the guides: node scripts/errors-by-code.mjs
// With --check it writes nothing and fails where the list there is another.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const FOLDERS = ["config", "generators/security", "generators/tls", "telemetry"].map((folder) =>
  join(ROOT, "packages/pilot/src", folder),
);
const CODE = /^[a-z]+(-[a-z0-9]+)*$/;

const TEXTS = {
  "docs/guide/errors.md": [
    "# Configuration errors by code",
    "Every error names the object, the field's path, the file and its line, and what to do. An error refuses the object, and its last good version stays in use; a warning does not. `mixerless validate FILE…` shows them without running anything, `/debug/faultz` those of a running control plane. An ellipsis (…) stands for names and values of your file.",
    ["Code", "Severity", "What it says", "Cure"],
  ],
  "docs/zh-CN/guide/errors.md": [
    "# 按代码查配置错误",
    "每条错误都给出对象、字段路径、文件和行号，以及解决办法。error 会拒绝该对象，上一个有效版本继续生效；warning 不会。`mixerless validate FILE…` 无需运行网格即可检查，`/debug/faultz` 列出运行中控制面的错误。省略号（…）代表你文件中的名称和取值。错误文本目前只有英文。",
    ["代码", "级别", "说明", "解决办法"],
  ],
};

/** code → severity, messages and cures as the source has them. */
const errors = new Map();

for (const entry of FOLDERS.flatMap((folder) => readdirSync(folder, { recursive: true, withFileTypes: true }))) {
  if (!entry.isFile() || !entry.name.endsWith(".ts") || entry.name.endsWith(".test.ts")) continue;
  const path = join(entry.parentPath ?? entry.path, entry.name);
  const source = ts.createSourceFile(relative(ROOT, path), readFileSync(path, "utf8"), ts.ScriptTarget.Latest, true);
  visit(source);
}

function visit(node) {
  if (ts.isCallExpression(node)) takeCall(node);
  if (ts.isObjectLiteralExpression(node)) takeObject(node);
  ts.forEachChild(node, visit);
}

/** `at.error(code, message, cure)`, `at.warn(…)`, and helpers that put a file's path before the code. */
function takeCall({ expression, arguments: given }) {
  const isMethod = ts.isPropertyAccessExpression(expression);
  const name = isMethod ? expression.name.text : expression.getText();
  if (isMethod && ["error", "warn"].includes(name)) record(name === "warn" ? "warning" : "error", ...given);
  if (["pathFault", "unreadable"].includes(name)) record("error", ...given.slice(1));
}

/** A fault written out. */
function takeObject({ properties }) {
  const field = (name) =>
    properties.find((entry) => ts.isPropertyAssignment(entry) && entry.name.getText() === name)?.initializer;
  const severity = field("severity");
  if (severity !== undefined && ts.isStringLiteral(severity))
    record(severity.text, field("code"), field("message"), field("cure"));
}

function record(severity, code, message, cure) {
  if (code === undefined || !ts.isStringLiteral(code) || !CODE.test(code.text)) return;
  const known = errors.get(code.text) ?? { severities: new Set(), messages: new Set(), cures: new Set() };
  known.severities.add(severity);
  for (const [set, argument] of [
    [known.messages, message],
    [known.cures, cure],
  ]) {
    const text = argument === undefined ? null : textOf(argument);
    if (text !== null && /[a-z]/.test(text)) set.add(text);
  }
  errors.set(code.text, known);
}

/** The text of a literal, `…` for what it takes from the file; a name is looked up where it is declared nearby. */
function textOf(node) {
  if (ts.isStringLiteral(node) || ts.isNoSubstitutionTemplateLiteral(node)) return node.text;
  if (ts.isTemplateExpression(node))
    return node.head.text + node.templateSpans.map((span) => `…${span.literal.text}`).join("");
  if (!ts.isIdentifier(node)) return null;
  for (let scope = node.parent; scope !== undefined; scope = scope.parent) {
    if (!ts.isBlock(scope) && !ts.isSourceFile(scope)) continue;
    for (const statement of scope.statements) {
      if (!ts.isVariableStatement(statement)) continue;
      for (const { name, initializer } of statement.declarationList.declarations)
        if (name.getText() === node.text && initializer !== undefined) return textOf(initializer);
    }
  }
  return null;
}

const cell = (texts) => [...texts].sort().join("<br>").replaceAll("|", "\\|").replaceAll("\n", " ");

for (const [file, [title, intro, header]] of Object.entries(TEXTS)) {
  const rows = [...errors]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([code, { severities, messages, cures }]) => [`\`${code}\``, cell(severities), cell(messages), cell(cures)]);
  const table = [header, header.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`);
  const text = `${title}\n\n${intro}\n\n${table.join("\n")}\n`;
  if (!process.argv.includes("--check")) writeFileSync(join(ROOT, file), text);
  else if (readFileSync(join(ROOT, file), "utf8") !== text) {
    process.stderr.write(`${file} is out of date: run node scripts/errors-by-code.mjs\n`);
    process.exitCode = 1;
  }
}
process.stdout.write(`${errors.size} codes\n`);
