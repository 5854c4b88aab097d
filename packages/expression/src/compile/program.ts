import { type Checks, check } from "../check/checker.ts";
import type { Environment } from "../check/environment.ts";
import type { ExpressionFault } from "../syntax/fault.ts";
import { DEFAULT_LIMITS, type ExpressionLimits } from "../syntax/limits.ts";
import { parse } from "../syntax/parser.ts";
import type { Type } from "../types/type.ts";
import { Failure, TOO_EXPENSIVE } from "../values/abnormal.ts";
import type { Result } from "../values/value.ts";
import { BudgetExceeded } from "../values/work.ts";
import type { AttributeSource } from "./attribute-source.ts";
import { Compiler } from "./compiler.ts";
import { Frame, type Run } from "./frame.ts";

export interface CompileOptions {
  /** Default `all`. */
  readonly checks?: Checks;
  readonly limits?: ExpressionLimits;
  /** Steps that one evaluation may take, default 10,000: turns of loops, elements compared, each 16 chars joined. */
  readonly budget?: number;
}

export type Compiled<S> =
  | { readonly program: Program<S>; readonly faults?: undefined }
  | { readonly program?: undefined; readonly faults: readonly ExpressionFault[] };

const DEFAULT_BUDGET = 10_000;

/** Parses, checks and compiles an expression; never throws. */
export function compileExpression<S>(
  source: string,
  environment: Environment,
  attributes: AttributeSource<S>,
  options: CompileOptions = {},
): Compiled<S> {
  const parsed = parse(source, options.limits ?? DEFAULT_LIMITS);
  if (parsed.faults !== undefined) return parsed;
  const { checked, faults } = check(source, parsed.node, environment, { checks: options.checks ?? "all" });
  if (faults !== undefined) return { faults };
  const compiler = new Compiler(checked, environment, attributes as AttributeSource<never>);
  const { run } = compiler.compile(checked.node);
  return { program: new Program(run, checked.type, checked.locals, options.budget ?? DEFAULT_BUDGET) };
}

/** A compiled expression. */
export class Program<S> {
  /** What the checker expects the value to be. */
  readonly type: Type;
  readonly #run: Run;
  readonly #locals: number;
  readonly #budget: number;
  /** Null while it is in use: an attribute that evaluates the same expression gets another one. */
  #frame: Frame | null;

  constructor(run: Run, type: Type, locals: number, budget: number) {
    this.type = type;
    this.#run = run;
    this.#locals = locals;
    this.#budget = budget;
    this.#frame = new Frame(locals);
  }

  /** The value, or why there is none. Never throws. */
  evaluate(source: S): Result {
    const frame = this.#frame ?? new Frame(this.#locals);
    this.#frame = null;
    frame.start(source, this.#budget);
    try {
      return this.#run(frame);
    } catch (error) {
      if (error instanceof BudgetExceeded) return TOO_EXPENSIVE;
      return new Failure(`internal error: ${error instanceof Error ? error.message : String(error)}`);
    } finally {
      frame.release();
      this.#frame = frame;
    }
  }
}
