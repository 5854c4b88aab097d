// Runs vitest in a plugin's folder. Where a module is to be tried, the plugin's source is replaced by it, so that the
// same tests see the other form.
import { existsSync, realpathSync } from "node:fs";
import { join } from "node:path";

interface Task {
  readonly root: string;
  readonly entry: string;
  readonly vitest: string;
  readonly wasm: string | null;
  readonly inspect: boolean;
}

/** The part of vitest's interface that is used here. */
interface Vitest {
  startVitest(
    mode: "test",
    filters: readonly string[],
    options: object,
    overrides: { readonly plugins: readonly VitePlugin[] },
  ): Promise<{ close(): Promise<void> } | undefined>;
}

interface VitePlugin {
  readonly name: string;
  readonly enforce: "pre";
  load(id: string): string | null;
}

const task = JSON.parse(process.argv[2] ?? "{}") as Task;
const { startVitest } = (await import(task.vitest)) as Vitest;
const plugins = task.wasm === null ? [] : [moduleInPlace(realpathSync(join(task.root, task.entry)), task.wasm)];
const debugged = task.inspect ? { inspectBrk: true, fileParallelism: false, testTimeout: 0 } : {};
const vitest = await startVitest(
  "test",
  [],
  { root: task.root, config: ownConfig(task.root), watch: false, ...debugged },
  { plugins },
);
await vitest?.close();

/** The plugin's own settings for vitest; never those of a folder around it. */
function ownConfig(root: string): string | false {
  const names = ["vitest", "vite"].flatMap((tool) => ["ts", "mts", "js", "mjs"].map((end) => `${tool}.config.${end}`));
  return names.map((name) => join(root, name)).find(existsSync) ?? false;
}

/** Answers for the source with a module whose `createRoot` runs the Wasm form. */
function moduleInPlace(source: string, wasm: string): VitePlugin {
  const form = new URL("../form/hosted-root.js", import.meta.url).href;
  return {
    name: "mixerless:wasm-form",
    enforce: "pre",
    load: (id) => {
      if (id.split("?")[0]?.replaceAll("/", "\\") !== source.replaceAll("/", "\\")) return null;
      const lines = [
        `import { loadHostedForm } from ${JSON.stringify(form)};`,
        `export const createRoot = await loadHostedForm(${JSON.stringify(wasm)});`,
      ];
      return lines.join("\n");
    },
  };
}
