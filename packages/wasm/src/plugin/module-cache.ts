import { createHash } from "node:crypto";
import type { WasmLimits } from "../limits/limits.ts";
import { isFault, type LoadedModule, type LoadFault, loadModule } from "../module/load-module.ts";

/** Modules that are kept although nobody may use them at the moment. */
const KEPT = 16;

/**
 * Compiled modules by their bytes. The same bytes are compiled once, also where several ask at the same time; a module
 * that can't be used is looked at again each time.
 */
export class ModuleCache {
  readonly #modules = new Map<string, Promise<LoadedModule | LoadFault>>();

  load(bytes: Uint8Array<ArrayBuffer>, limits: WasmLimits): Promise<LoadedModule | LoadFault> {
    const { moduleBytes, memoryPages, tableElements } = limits;
    const digest = createHash("sha256").update(bytes).digest("hex");
    const key = `${digest} ${moduleBytes} ${memoryPages} ${tableElements}`;
    const known = this.#modules.get(key);
    this.#modules.delete(key);
    const loading = known ?? this.#begin(key, bytes, limits);
    // The one that was used last is the last to go.
    this.#modules.set(key, loading);
    for (const old of [...this.#modules.keys()].slice(0, -KEPT)) this.#modules.delete(old);
    return loading;
  }

  /** Modules that are kept. */
  get size(): number {
    return this.#modules.size;
  }

  async #begin(key: string, bytes: Uint8Array<ArrayBuffer>, limits: WasmLimits): Promise<LoadedModule | LoadFault> {
    const result = await loadModule(bytes, limits);
    if (isFault(result)) this.#modules.delete(key);
    return result;
  }
}
