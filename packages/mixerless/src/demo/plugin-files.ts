import { open } from "node:fs/promises";
import { basename, resolve } from "node:path";
import { CommandError } from "../mesh/command-error.ts";

/** A WasmPlugin on all workloads, made from a module's file. */
export interface PluginFile {
  readonly name: string;
  /** Absolute. */
  readonly path: string;
}

const MAGIC = Buffer.from("\0asm", "latin1");
const LONGEST_NAME = 63;

/** Looks at the files before anything is started; each plugin is named after its file. */
export async function readPluginFiles(files: readonly string[]): Promise<readonly PluginFile[]> {
  const plugins: PluginFile[] = [];
  for (const file of files) {
    const path = resolve(file);
    await check(file, path);
    const taken = plugins.map(({ name }) => name);
    plugins.push({ name: free(nameOf(path), taken), path });
  }
  return plugins;
}

/** As written into the demo's configuration. */
export function wasmPlugin({ name, path }: PluginFile, index: number, plugins: readonly PluginFile[]): object {
  return {
    apiVersion: "extensions.istio.io/v1alpha1",
    kind: "WasmPlugin",
    metadata: { name, namespace: "istio-system" },
    // In the order of the command line.
    spec: { url: `file://${path}`, priority: plugins.length - index },
  };
}

async function check(file: string, path: string): Promise<void> {
  const fault = (what: string, cure: string) => new CommandError(`--plugin ${file}: ${what} ${cure}`, 2);
  if (/[\s\p{Cc}]/u.test(path))
    throw fault(`the path ${path} holds a space.`, "Move the module: a URL can't hold one.");
  const start = await firstBytes(path, MAGIC.length).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") throw fault("there is no such file.", "Build the plugin first, or correct the path.");
    if (error.code === "EISDIR") throw fault("is a folder.", "Give the .wasm file in it.");
    throw fault(`can't be read: ${error.message}.`, "Make it readable.");
  });
  if (!start.equals(MAGIC))
    throw fault("is no WebAssembly module: it does not begin with \\0asm.", "Give the .wasm file that the build made.");
}

async function firstBytes(path: string, count: number): Promise<Buffer> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(count), 0, count, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

/** The file's name as one that Kubernetes takes. */
function nameOf(path: string): string {
  const name = basename(path)
    .replace(/\.wasm$/i, "")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .slice(0, LONGEST_NAME - 3)
    .replace(/^-+|-+$/g, "");
  return name === "" ? "plugin" : name;
}

function free(name: string, taken: readonly string[]): string {
  for (let number = 1; ; number++) {
    const one = number === 1 ? name : `${name}-${number}`;
    if (!taken.includes(one)) return one;
  }
}
