import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, posix } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { describe, expect, it } from "vitest";

const SDK = dirname(fileURLToPath(import.meta.resolve("@mixerless/sdk/package.json")));

interface Manifest {
  readonly exports: Readonly<Record<string, string | Readonly<Record<string, string>>>>;
}

/** Paths that `npm publish` would send, as npm itself says. */
function packed(): string[] {
  const npm = process.platform === "win32" ? "npm.cmd" : "npm";
  const said = execFileSync(npm, ["pack", "--dry-run", "--json", "--ignore-scripts"], { cwd: SDK, encoding: "utf8" });
  const [report] = JSON.parse(said) as [{ files: { path: string }[] }];
  return report.files.map(({ path }) => path);
}

/** What the AssemblyScript compiler reads, from `entry` on. */
function readByCompiler(entry: string, seen = new Set<string>()): Set<string> {
  if (seen.has(entry)) return seen;
  seen.add(entry);
  for (const { fileName } of ts.preProcessFile(readFileSync(join(SDK, entry), "utf8")).importedFiles) {
    const target = posix.join(posix.dirname(entry), fileName.replace(/\.ts$/, ""));
    readByCompiler(`${target}.ts`, seen);
  }
  return seen;
}

describe("the SDK as a package", () => {
  const files = packed();

  it("holds what both compilers read, and no tests", () => {
    const { exports } = JSON.parse(readFileSync(join(SDK, "package.json"), "utf8")) as Manifest;
    const targets = Object.values(exports).flatMap((entry) =>
      typeof entry === "string"
        ? [entry]
        : Object.entries(entry)
            .filter(([condition]) => condition !== "mixerless-source")
            .map(([, target]) => target),
    );
    for (const target of targets) expect(files).toContain(target.replace(/^\.\//, ""));
    for (const entry of ["index.ts", "exports.ts"]) {
      for (const file of readByCompiler(entry)) expect(files).toContain(file);
    }
    expect(files).toEqual(expect.arrayContaining(["README.md", "globals.d.ts", "package.json"]));
    expect(files.filter((file) => /\.test\.|tsbuildinfo/.test(file))).toEqual([]);
  });

  it("leads each declaration to a file that is in it", () => {
    for (const file of files.filter((path) => path.endsWith(".d.ts"))) {
      const text = readFileSync(join(SDK, file), "utf8");
      const read = ts.preProcessFile(text);
      for (const { fileName } of [...read.importedFiles, ...read.referencedFiles]) {
        if (!fileName.startsWith(".")) continue;
        const target = posix
          .join(posix.dirname(file), fileName)
          .replace(/\.(js|ts)$/, "")
          .replace(/\.d$/, "");
        expect(files, `${file} names ${fileName}`).toContain(`${target}.d.ts`);
      }
    }
  });

  it("says of everything that it exports what it is", () => {
    const entries = ["dist/index.d.ts", "dist/testing/index.d.ts"].map((file) => join(SDK, file));
    for (const entry of entries) expect(existsSync(entry)).toBe(true);
    const program = ts.createProgram(entries, { module: ts.ModuleKind.NodeNext, skipLibCheck: true, types: [] });
    const checker = program.getTypeChecker();
    const silent: string[] = [];
    for (const entry of entries) {
      const source = program.getSourceFile(entry);
      const module = source === undefined ? undefined : checker.getSymbolAtLocation(source);
      for (const symbol of module === undefined ? [] : checker.getExportsOfModule(module)) {
        silent.push(...undocumented(checker, symbol));
      }
    }
    expect(silent).toEqual([]);
  });
});

/** The symbol, and its public members, that have no docstring. What overrides something has the one above it. */
function undocumented(checker: ts.TypeChecker, exported: ts.Symbol): string[] {
  const symbol = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported;
  const members = [...(symbol.members?.values() ?? [])].filter(isPublic);
  return [symbol, ...members]
    .filter((one) => one.getDocumentationComment(checker).length === 0)
    .map((one) => (one === symbol ? symbol.name : `${symbol.name}.${one.name}`));
}

function isPublic(symbol: ts.Symbol): boolean {
  if (symbol.name.startsWith("__") || symbol.flags & ts.SymbolFlags.TypeParameter) return false;
  return (symbol.declarations ?? []).every((declaration) => {
    const hidden = ts.getCombinedModifierFlags(declaration) & (ts.ModifierFlags.Private | ts.ModifierFlags.Protected);
    const name = ts.getNameOfDeclaration(declaration);
    return hidden === 0 && !(name !== undefined && ts.isPrivateIdentifier(name));
  });
}
