import type { PluginLine } from "@mixerless/proxy";
import { CommandError } from "./command-error.ts";
import { fetchPage } from "./http.ts";
import type { ProxyPlace } from "./proxies.ts";

/** A line of a plugin's log in one proxy. */
export interface ProxyLine extends PluginLine {
  /** `<name>.<namespace>`. */
  readonly proxy: string;
}

/** The log of one plugin in several proxies, from their admin interfaces. */
export class PluginLogReader {
  readonly #plugin: string;
  readonly #proxies: readonly Pick<ProxyPlace, "key" | "admin">[];
  /** Number of the last line that was read, by proxy and process. */
  readonly #read = new Map<string, number>();
  readonly #problems = new Set<string>();

  constructor(plugin: string, proxies: readonly Pick<ProxyPlace, "key" | "admin">[]) {
    this.#plugin = plugin;
    this.#proxies = proxies;
  }

  /** What is new since the last call, in the order of time, and proxies that don't answer, each told once. */
  async next(): Promise<{ readonly lines: ProxyLine[]; readonly problems: readonly string[] }> {
    const problems: string[] = [];
    const missing: string[] = [];
    const pages = await Promise.all(
      this.#proxies.map(async ({ key, admin }) => {
        try {
          const { status, body } = await fetchPage(`${admin}/plugin_logs?plugin=${encodeURIComponent(this.#plugin)}`);
          if (status === 200) return (JSON.parse(body) as { lines: PluginLine[] }).lines.map(withProxy(key));
          missing.push(`${key}: ${body.trim()}`);
        } catch (error) {
          problems.push(`${key} is left out: ${error instanceof Error ? error.message : error}`);
        }
        return [];
      }),
    );
    // One that has the plugin is enough; and one that came later may have it later.
    if (missing.length === this.#proxies.length && this.#read.size === 0) throw new CommandError(this.#nobody(missing));
    const lines = pages.flat().filter((line) => this.#isNew(line));
    return { lines: lines.sort((a, b) => a.time - b.time), problems: problems.filter((one) => this.#tellOnce(one)) };
  }

  #nobody(missing: readonly string[]): string {
    if (missing.length === 0) return "No proxy is connected.";
    return `No proxy has a plugin "${this.#plugin}".\n${missing.join("\n")}`;
  }

  #isNew({ proxy, process, number }: ProxyLine): boolean {
    const key = `${proxy} ${process}`;
    if (number <= (this.#read.get(key) ?? 0)) return false;
    this.#read.set(key, number);
    return true;
  }

  #tellOnce(problem: string): boolean {
    if (this.#problems.has(problem)) return false;
    this.#problems.add(problem);
    return true;
  }
}

function withProxy(proxy: string): (line: PluginLine) => ProxyLine {
  return (line) => ({ ...line, proxy });
}
