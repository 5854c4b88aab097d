import { type FSWatcher, watch } from "node:fs";
import { join } from "node:path";
import type { Clock, Timer } from "@mixerless/clock";
import type { PluginFolder } from "../plugin-folder.ts";
import { CONFIGURATION } from "./dev-place.ts";

/** Editors save by several steps. */
const SETTLE = 60;

/** Calls `changed` when a source or the configuration of a plugin has been saved. */
export class FolderWatch {
  readonly #watchers: readonly FSWatcher[];
  readonly #clock: Clock;
  readonly #changed: () => void;
  #timer: Timer | null = null;

  constructor({ root, entry }: PluginFolder, clock: Clock, changed: () => void) {
    this.#clock = clock;
    this.#changed = changed;
    const sources = join(root, entry, "..");
    this.#watchers = [
      watch(sources, { recursive: true }, (_event, name) => this.#saw(String(name).endsWith(".ts"))),
      watch(root, (_event, name) => this.#saw(String(name) === CONFIGURATION)),
    ];
  }

  close(): void {
    for (const watcher of this.#watchers) watcher.close();
    this.#timer?.cancel();
  }

  #saw(ours: boolean): void {
    if (!ours) return;
    this.#timer?.cancel();
    this.#timer = this.#clock.after(SETTLE, this.#changed);
  }
}
