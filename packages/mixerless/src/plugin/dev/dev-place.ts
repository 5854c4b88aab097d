import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { CommandError } from "../../mesh/command-error.ts";
import { type BuiltPlugin, writeModule } from "../build.ts";
import type { PluginFolder } from "../plugin-folder.ts";

/** The configuration that a plugin is tried with, in its folder. */
export const CONFIGURATION = "plugin-config.json";
const NAMESPACE = "default";

/** Where a plugin that is being written meets a mesh: modules in its build folder, a WasmPlugin in a watched one. */
export class DevPlace {
  readonly #folder: PluginFolder;
  readonly #file: string;
  readonly #app: string | null;

  /** `watched` is a folder of Istio configuration that a control plane reads; `app` null means every workload. */
  constructor(folder: PluginFolder, watched: string, app: string | null) {
    this.#folder = folder;
    this.#file = join(watched, `plugin-dev-${folder.name}.yaml`);
    this.#app = app;
    mkdirSync(this.#modules, { recursive: true });
  }

  /** As `plugin status` and `plugin logs` call it. */
  get plugin(): string {
    return `${NAMESPACE}.${this.#folder.name}`;
  }

  /** Hands a module to the mesh. Each has a file of its own, so that a proxy never reads one that is being written. */
  publish(built: BuiltPlugin): void {
    const name = `${built.module.digest.slice(0, 16)}.wasm`;
    const before = readdirSync(this.#modules).filter((file) => !file.startsWith(name));
    writeModule(join(this.#modules, name), built);
    writeFileSync(this.#file, this.#manifest(join(this.#modules, name), built.module.digest));
    // Those of earlier turns; the last one may still be on its way into a proxy.
    for (const file of before.slice(0, -4)) rmSync(join(this.#modules, file), { force: true });
  }

  /** Takes the plugin out of the mesh. */
  remove(): void {
    rmSync(this.#file, { force: true });
    rmSync(this.#modules, { recursive: true, force: true });
  }

  get #modules(): string {
    return join(this.#folder.root, "build", "dev");
  }

  // JSON is YAML.
  #manifest(module: string, digest: string): string {
    const selector = this.#app === null ? {} : { selector: { matchLabels: { app: this.#app } } };
    const manifest = {
      ...{ apiVersion: "extensions.istio.io/v1alpha1", kind: "WasmPlugin" },
      metadata: { name: this.#folder.name, namespace: NAMESPACE },
      spec: {
        ...{ url: pathToFileURL(module).href, sha256: digest, ...selector, match: [{ mode: "SERVER" }] },
        ...{ failStrategy: "FAIL_RELOAD", pluginConfig: this.#configuration() },
      },
    };
    return `${JSON.stringify(manifest, null, 2)}\n`;
  }

  #configuration(): object {
    const file = join(this.#folder.root, CONFIGURATION);
    let text: string;
    try {
      text = readFileSync(file, "utf8");
    } catch {
      return {};
    }
    try {
      return JSON.parse(text) as object;
    } catch (error) {
      throw new CommandError(`${CONFIGURATION} is no JSON: ${error instanceof Error ? error.message : error}`);
    }
  }
}
