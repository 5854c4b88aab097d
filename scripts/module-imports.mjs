import ts from "typescript";

/**
 * What the module `text` refers to: `{ specifier, line, kind }` for each import, where `kind` is
 * - `static`: an import or export that is there when the program runs,
 * - `type`: one that the compiler erases,
 * - `lazy`: `import()`, `require()`, `import.meta.resolve()`, `vi.mock()` and the like,
 * - `file`: `new URL("…", import.meta.url)`,
 * - `computed`: a lazy import whose name is made at run time; its specifier is "".
 */
export function moduleImports(path, text) {
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, false);
  const found = [];
  const add = (kind, node, specifier) => {
    const line = source.getLineAndCharacterOfPosition(node.getStart(source)).line + 1;
    found.push({ specifier, line, kind });
  };
  const visit = (node) => {
    if (ts.isImportDeclaration(node)) {
      const { phaseModifier } = node.importClause ?? {};
      add(phaseModifier === ts.SyntaxKind.TypeKeyword ? "type" : "static", node, node.moduleSpecifier.text);
    } else if (ts.isExportDeclaration(node) && node.moduleSpecifier) {
      add(node.isTypeOnly ? "type" : "static", node, node.moduleSpecifier.text);
    } else if (ts.isImportTypeNode(node)) {
      add("type", node, literalText(node.argument.literal) ?? "");
    } else if (ts.isExternalModuleReference(node)) {
      add("lazy", node, literalText(node.expression) ?? "");
    } else if (ts.isCallExpression(node) && loadsModule(node.expression, source)) {
      const specifier = literalText(node.arguments[0]);
      add(specifier === undefined ? "computed" : "lazy", node, specifier ?? "");
    } else if (ts.isNewExpression(node) && isFileUrl(node, source)) {
      const specifier = literalText(node.arguments[0]);
      add(specifier === undefined ? "computed" : "file", node, specifier ?? "");
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return { imports: found, broken: source.parseDiagnostics.length > 0 };
}

const loaders = new Set([
  "require",
  "require.resolve",
  "import.meta.resolve",
  "vi.mock",
  "vi.doMock",
  "vi.importActual",
]);

function loadsModule(callee, source) {
  return callee.kind === ts.SyntaxKind.ImportKeyword || loaders.has(callee.getText(source));
}

function isFileUrl(node, source) {
  return node.expression.getText(source) === "URL" && node.arguments?.[1]?.getText(source) === "import.meta.url";
}

/** The text of a literal; of `import("…")` in `vi.mock(import("…"))` nothing, as it is visited itself. */
function literalText(node) {
  return node !== undefined && ts.isStringLiteralLike(node) ? node.text : undefined;
}
