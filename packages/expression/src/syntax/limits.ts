/** What an expression may be at most. Everything later is linear in these, so hostile ones end here. */
export interface ExpressionLimits {
  /** Chars of the source. */
  readonly length: number;
  readonly nodes: number;
  /** Levels of nesting. */
  readonly depth: number;
}

export const DEFAULT_LIMITS: ExpressionLimits = { length: 32_768, nodes: 10_000, depth: 200 };
