import type { Clock } from "@mixerless/clock";

/** One thing that a plugin has said, or that was said about it. */
export interface PluginLine {
  /** Grows by one with each line of the plugin in this process. */
  readonly number: number;
  /** The process that has it. */
  readonly process: number;
  /** Milliseconds since the epoch. */
  readonly time: number;
  /** 0 trace, 1 debug, 2 info, 3 warn, 4 error, 5 critical. */
  readonly level: number;
  readonly text: string;
}

interface Lines {
  readonly kept: PluginLine[];
  characters: number;
  last: number;
}

/** Plugins whose lines are kept; of more, those that have spoken last. */
const PLUGINS = 32;
/** Lines of one plugin that are kept, and characters of all of them and of one. */
const LINES = 200;
const CHARACTERS = 65_536;
const LONGEST = 2048;

/** The last lines of each plugin, whatever level the log has. */
export class PluginLines {
  readonly #clock: Clock;
  readonly #process: number;
  readonly #plugins = new Map<string, Lines>();

  constructor(clock: Clock, process: number) {
    this.#clock = clock;
    this.#process = process;
  }

  add(plugin: string, level: number, text: string): void {
    const lines = this.#plugins.get(plugin) ?? { kept: [], characters: 0, last: 0 };
    this.#plugins.delete(plugin);
    this.#plugins.set(plugin, lines);
    for (const old of [...this.#plugins.keys()].slice(0, -PLUGINS)) this.#plugins.delete(old);
    const cut = text.length > LONGEST ? `${text.slice(0, LONGEST)} … (cut)` : text;
    lines.kept.push({ number: ++lines.last, process: this.#process, time: this.#clock.now(), level, text: cut });
    lines.characters += cut.length;
    while (lines.kept.length > LINES || lines.characters > CHARACTERS)
      lines.characters -= lines.kept.shift()?.text.length ?? 0;
  }

  /** Oldest first; null: nothing was heard of it. */
  of(plugin: string): readonly PluginLine[] | null {
    return this.#plugins.get(plugin)?.kept ?? null;
  }
}
