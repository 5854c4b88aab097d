import type { Clock, Timer } from "@mixerless/clock";
import { type Edge, type Edges, growth, readEdges } from "./edges.ts";
import type { TrafficWindow } from "./traffic-window.ts";

/** A proxy whose series are read. */
export interface Target {
  /** `<name>.<namespace>`. */
  readonly name: string;
  /** URL of its series. */
  readonly url: string;
}

/** How the last look at a target went. */
export interface TargetState extends Target {
  /** Why its series could not be read; null when they could. */
  readonly problem: string | null;
  /** Samples of Istio's metrics, and bytes of the page. */
  readonly samples: number;
  readonly bytes: number;
}

export interface CollectorOptions {
  readonly clock: Clock;
  /** Milliseconds between two looks. */
  readonly interval: number;
  readonly window: TrafficWindow;
  /** The proxies there are now. */
  readonly targets: () => Promise<readonly Target[]>;
  /** The series of one; rejects with the reason. */
  readonly fetch: (url: string) => Promise<string>;
}

/**
 * Looks at every proxy's series at an interval and puts what they grew by into the window. The first look at a proxy
 * counts nothing: what it had counted before is of no known time. A proxy that can't be read is tried again.
 */
export class Collector {
  readonly #options: CollectorOptions;
  readonly #known = new Map<string, Edges>();
  #states: readonly TargetState[] = [];
  #problem: string | null = null;
  #last: number;
  #timer: Timer | null = null;
  #closed = false;

  constructor(options: CollectorOptions) {
    this.#options = options;
    this.#last = options.clock.monotonic();
  }

  start(): void {
    void this.#round();
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
  }

  /** By name. */
  get states(): readonly TargetState[] {
    return this.#states;
  }

  /** Why the targets are not known; null when they are. */
  get problem(): string | null {
    return this.#problem;
  }

  async #round(): Promise<void> {
    const { clock, interval } = this.#options;
    const began = clock.monotonic();
    await this.#look(began);
    if (this.#closed) return;
    // Never two rounds at once, however slow the proxies are.
    const rest = Math.max(interval - (clock.monotonic() - began), interval / 10);
    this.#timer = clock.after(rest, () => void this.#round());
  }

  async #look(began: number): Promise<void> {
    const { targets, window } = this.#options;
    let wanted: readonly Target[];
    try {
      wanted = await targets();
      this.#problem = null;
    } catch (error) {
      this.#problem = messageOf(error);
      return;
    }
    const grown: Edge[] = [];
    const states = await Promise.all(wanted.map((target) => this.#read(target, grown)));
    this.#states = states.sort((a, b) => (a.name < b.name ? -1 : 1));
    const names = new Set(wanted.map(({ name }) => name));
    for (const name of this.#known.keys()) if (!names.has(name)) this.#known.delete(name);
    window.record(began, began - this.#last, grown);
    this.#last = began;
  }

  async #read(target: Target, grown: Edge[]): Promise<TargetState> {
    let page: string;
    try {
      page = await this.#options.fetch(target.url);
    } catch (error) {
      return { ...target, problem: messageOf(error), samples: 0, bytes: 0 };
    }
    const edges = readEdges([page]);
    const before = this.#known.get(target.name);
    if (before !== undefined) grown.push(...growth(before, edges));
    this.#known.set(target.name, edges);
    return { ...target, problem: null, samples: countSamples(page), bytes: Buffer.byteLength(page) };
  }
}

function countSamples(page: string): number {
  let count = 0;
  for (let at = page.indexOf("\nistio_"); at >= 0; at = page.indexOf("\nistio_", at + 1)) count++;
  return count;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
