/** Thrown and caught inside this package: the evaluation is too expensive. */
export class BudgetExceeded extends Error {}

/** Bounds what one evaluation may do. Values may share parts, so that even comparing two of them can be endless. */
export interface Work {
  /** Throws {@link BudgetExceeded} when the budget is used up. */
  spend(steps: number): void;
}

export const UNBOUNDED: Work = { spend() {} };
