import { join, relative, sep } from "node:path";
import type * as Typescript from "typescript";
import type { Diagnostic } from "../compile/compile-protocol.ts";
import type { PluginFolder } from "../plugin-folder.ts";
import { subsetFaults } from "./subset.ts";
import type { Ts } from "./unknown-syntax.ts";

/**
 * What TypeScript itself says about a plugin's sources, and the places where they would not mean the same as Wasm.
 * `url` is that of the compiler's module.
 */
export async function checkSources({ root, entry }: PluginFolder, url: string): Promise<Diagnostic[]> {
  const loaded = (await import(url)) as { readonly default: Ts };
  const ts = loaded.default;
  const program = ts.createProgram([join(root, entry)], optionsOf(ts, root));
  const sources = program.getSourceFiles().filter((source) => isOwn(source, root));
  const faults = sources.flatMap((source) => typeFaults(ts, program, source, root));
  if (faults.length > 0) return faults;
  const checker = program.getTypeChecker();
  return sources.flatMap((source) =>
    subsetFaults(ts, source, checker).map(({ line, column, rule, text }) => {
      return { file: pathOf(source, root), line, column, message: `${rule}: ${text}` };
    }),
  );
}

/** The plugin's own settings; those that make it a plugin hold in any case. */
function optionsOf(ts: Ts, root: string): Typescript.CompilerOptions {
  const file = ts.findConfigFile(root, ts.sys.fileExists);
  const read = file === undefined ? {} : (ts.readConfigFile(file, ts.sys.readFile).config ?? {});
  const given = read as { readonly compilerOptions?: object };
  const { options } = ts.convertCompilerOptionsFromJson(given.compilerOptions ?? DEFAULTS, root);
  return { ...options, noEmit: true, composite: false, incremental: false };
}

const DEFAULTS = {
  ...{ strict: true, target: "es2023", module: "nodenext", types: [], skipLibCheck: true },
  ...{ allowImportingTsExtensions: true, verbatimModuleSyntax: true, noImplicitOverride: true },
};

function isOwn(source: Typescript.SourceFile, root: string): boolean {
  const path = relative(root, source.fileName);
  return !source.isDeclarationFile && !path.startsWith("..") && !path.split(sep).includes("node_modules");
}

function pathOf(source: Typescript.SourceFile, root: string): string {
  return relative(root, source.fileName).replaceAll("\\", "/");
}

function typeFaults(ts: Ts, program: Typescript.Program, source: Typescript.SourceFile, root: string): Diagnostic[] {
  const all = [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)];
  return all.map(({ start = 0, messageText, code }) => {
    const { line, character } = source.getLineAndCharacterOfPosition(start);
    const message = `${ts.flattenDiagnosticMessageText(messageText, " ")} (TS${code})`;
    return { file: pathOf(source, root), line: line + 1, column: character + 1, message };
  });
}
