import type { Result } from "../values/value.ts";
import { BudgetExceeded, type Work } from "../values/work.ts";

/** What one evaluation works on. A program has one frame, which it uses again and again. */
export class Frame implements Work {
  /** What attributes are read from. */
  source: unknown = null;
  readonly locals: Result[];
  #left = 0;

  constructor(locals: number) {
    this.locals = new Array<Result>(locals).fill(null);
  }

  start(source: unknown, budget: number): void {
    this.source = source;
    this.#left = budget;
  }

  /** Lets go of what it worked on. */
  release(): void {
    this.source = null;
    if (this.locals.length > 0) this.locals.fill(null);
  }

  spend(steps: number): void {
    this.#left -= steps + 1;
    if (this.#left < 0) throw new BudgetExceeded();
  }
}

/** Evaluates one node. */
export type Run = (frame: Frame) => Result;

/** A compiled node. */
export interface Code {
  readonly run: Run;
  /** Undefined unless the node is the same value always. */
  readonly constant: Result | undefined;
}

export function constant(value: Result): Code {
  return { run: () => value, constant: value };
}

export function varying(run: Run): Code {
  return { run, constant: undefined };
}
