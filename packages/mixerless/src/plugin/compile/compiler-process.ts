// The AssemblyScript compiler in a process of its own: loading it adds globals and changes `Array.prototype.sort`.
// It stays loaded, so that the second compilation takes a fraction of the first.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { CompileRequest, CompileResult, Diagnostic } from "./compile-protocol.ts";
import { explain } from "./explain.ts";

/** The part of the compiler's interface that is used here. */
interface Compiler {
  main(args: readonly string[], api: CompilerApi): Promise<{ readonly error: Error | null; readonly stderr: object }>;
}

interface CompilerApi {
  readFile(file: string, base: string): string | null;
  writeFile(file: string, content: Uint8Array | string): void;
  listFiles(): readonly string[];
  reportDiagnostic(diagnostic: CompilerDiagnostic): void;
}

interface CompilerDiagnostic {
  readonly code: number;
  readonly category: number;
  readonly message: string;
  readonly range: {
    readonly start: number;
    readonly source: { readonly normalizedPath: string };
  } | null;
}

const ENTRY = "mixerless-entry.ts";
const OUT = "plugin.wasm";
const NO_SUCH_EXPORT = 2305;
/** Categories below are remarks and not faults: pedantic, information. */
const WARNING = 2;

const OPTIONS = [
  ...["--runtime", "incremental", "--exportStart", "_initialize", "--disableWarning", "210", "--sourceMap", "--debug"],
  ...["--use", "abort=~lib/@mixerless/sdk/wasm/api/sdkAbort"],
];

const compilerUrl = process.argv[2] ?? "";
const compiler = (await import(compilerUrl)) as Compiler;

process.on("message", (request: CompileRequest) => {
  void compile(request).then((result) => process.send?.(result));
});
process.on("disconnect", () => process.exit(0));

async function compile(request: CompileRequest): Promise<CompileResult> {
  const written = new Map<string, Uint8Array | string>();
  const diagnostics: Diagnostic[] = [];
  const level = request.quick ? "-O0" : "-O3";
  const { error, stderr } = await compiler.main([ENTRY, "-o", OUT, "--baseDir", request.root, ...OPTIONS, level], {
    readFile: (file, base) => readSource(request, file, base),
    writeFile: (file, content) => void written.set(file, content),
    listFiles: () => [],
    reportDiagnostic: (diagnostic) => {
      if (diagnostic.category < WARNING || isConsequence(diagnostic)) return;
      diagnostics.push(readable(request, diagnostic));
    },
  });
  if (error !== null && diagnostics.length === 0) {
    const said = String(stderr).trim();
    diagnostics.push({ file: "", line: 0, column: 0, message: said.length > 0 ? said : error.message });
  }
  const wasm = written.get(OUT);
  const good = error === null && diagnostics.length === 0 && wasm instanceof Uint8Array;
  return {
    wasm: good ? new Uint8Array(wasm) : null,
    sourceMap: String(written.get(`${OUT}.map`) ?? ""),
    diagnostics,
  };
}

/** The SDK is the one that belongs to this program, wherever the plugin lies. */
function readSource({ root, entry, sdk }: CompileRequest, file: string, base: string): string | null {
  if (file === ENTRY) return entrySource(entry);
  const ofSdk = /(?:^|\/)node_modules\/@mixerless\/sdk\/(.*)$/.exec(file.replaceAll("\\", "/"));
  try {
    return readFileSync(ofSdk === null ? join(base === "" ? root : base, file) : join(sdk, ofSdk[1] ?? ""), "utf8");
  } catch {
    return null;
  }
}

function entrySource(entry: string): string {
  return [
    'import { registerRoot } from "@mixerless/sdk";',
    `import { createRoot } from "./${entry.replace(/\.ts$/, "")}";`,
    "registerRoot(createRoot);",
    'export * from "@mixerless/sdk/exports";',
    "",
  ].join("\n");
}

/** A plugin without `createRoot` fails twice in the entry; once is enough. */
function isConsequence({ code, range }: CompilerDiagnostic): boolean {
  return range?.source.normalizedPath === ENTRY && code !== NO_SUCH_EXPORT;
}

function readable(request: CompileRequest, { code, message, range }: CompilerDiagnostic): Diagnostic {
  const text = explain(code, message);
  const file = range?.source.normalizedPath ?? "";
  // The entry that the build adds fails only where the plugin has not what it needs.
  if (file === ENTRY) return { file: request.entry, line: 0, column: 0, message: text };
  const source = file === "" || range === null ? null : readSource(request, file, request.root);
  if (source === null || range === null) return { file, line: 0, column: 0, message: text };
  const line = source.slice(0, range.start).split("\n").length;
  const column = range.start - source.lastIndexOf("\n", range.start - 1);
  return { file, line, column, message: text };
}
