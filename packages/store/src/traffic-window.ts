import { EdgeHistory, ringFor } from "./edge-history.ts";
import { type Edge, type EdgeEnds, edgeKey, isIdle, type Traffic } from "./edges.ts";

export interface WindowLimits {
  /** Rounds that are kept. */
  readonly rounds: number;
  /** Edges that are kept; what comes over further ones is counted and left out. */
  readonly edges: number;
}

/** One edge over the asked time. */
export interface EdgeInWindow extends EdgeEnds {
  readonly traffic: Traffic;
  /** In the parts of the answer. */
  readonly parts: readonly Traffic[];
}

/** An answer of the window. */
export interface WindowAnswer {
  /** Seconds that the answer covers: less than asked for when less is there. */
  readonly seconds: number;
  /** Seconds of each part, oldest first. */
  readonly parts: readonly number[];
  readonly edges: readonly EdgeInWindow[];
  /** Edges left out since there were too many. */
  readonly refused: number;
}

/**
 * The traffic of the last hour, as much as fits into bounded memory. Filled round by round with what every edge
 * grew by; rounds may be of different lengths.
 */
export class TrafficWindow {
  readonly #limits: WindowLimits;
  readonly #ring: number;
  readonly #edges = new Map<string, EdgeHistory>();
  /** Monotonic milliseconds at the end of the round in each slot, and its length. */
  readonly #ends: Float64Array;
  readonly #lengths: Float64Array;
  /** Edges that had no room in the last round. */
  #refused = 0;
  #head = -1;
  #filled = 0;

  constructor(limits: WindowLimits) {
    this.#limits = limits;
    this.#ring = ringFor(limits.rounds);
    this.#ends = new Float64Array(this.#ring);
    this.#lengths = new Float64Array(this.#ring);
  }

  /** A round that ended at `end` and took `length`, in monotonic milliseconds. */
  record(end: number, length: number, growth: readonly Edge[]): void {
    this.#head = (this.#head + 1) % this.#ring;
    this.#filled = Math.min(this.#filled + 1, this.#limits.rounds);
    this.#ends[this.#head] = end;
    this.#lengths[this.#head] = length;
    for (const [key, history] of this.#edges) {
      history.clear(this.#head);
      if (history.idle) this.#edges.delete(key);
    }
    this.#refused = 0;
    for (const edge of growth) if (!isIdle(edge)) this.#historyOf(edge)?.add(this.#head, edge);
  }

  /** What came within the last `time` milliseconds before the last round's end, whole rounds, in at most `parts` parts. */
  read(time: number, parts: number): WindowAnswer {
    const slots = this.#slots(time);
    const groups = split(slots, Math.min(parts, slots.length));
    const edges = [...this.#edges.values()].map((history) => ({
      ...history.ends,
      traffic: history.sum(slots),
      parts: groups.map((group) => history.sum(group)),
    }));
    const secondsOf = (some: readonly number[]) =>
      some.reduce((sum, slot) => sum + (this.#lengths[slot] ?? 0), 0) / 1000;
    return { seconds: secondsOf(slots), parts: groups.map(secondsOf), edges, refused: this.#refused };
  }

  #historyOf(edge: Edge): EdgeHistory | null {
    const key = edgeKey(edge);
    const known = this.#edges.get(key);
    if (known?.fits(edge)) return known;
    if (known === undefined && this.#edges.size >= this.#limits.edges) {
      this.#refused++;
      return null;
    }
    const history = new EdgeHistory(edge, this.#ring);
    this.#edges.set(key, history);
    return history;
  }

  /** Oldest first. */
  #slots(time: number): number[] {
    const slots: number[] = [];
    const last = this.#ends[this.#head] ?? 0;
    for (let back = 0; back < this.#filled; back++) {
      const slot = (this.#head - back + this.#ring) % this.#ring;
      const began = (this.#ends[slot] ?? 0) - (this.#lengths[slot] ?? 0);
      // Rounds are never exactly as long as they should be.
      if (slots.length > 0 && last - began > time * 1.05) break;
      slots.unshift(slot);
    }
    return slots;
  }
}

function split<T>(items: readonly T[], parts: number): T[][] {
  return Array.from({ length: parts }, (_, part) =>
    items.slice(Math.floor((part * items.length) / parts), Math.floor(((part + 1) * items.length) / parts)),
  );
}
