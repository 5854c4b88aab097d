import { Abnormal, merge, NO_SUCH_OVERLOAD } from "../values/abnormal.ts";
import type { Result } from "../values/value.ts";
import { type Code, constant, type Run, varying } from "./frame.ts";

/**
 * `||` for `decisive` true, `&&` for false: the decisive value on either side wins, whatever the others are; else what
 * has no value wins.
 */
export function compileLogic(parts: readonly Code[], decisive: boolean): Code {
  if (parts.some((part) => part.constant === decisive)) return constant(decisive);
  // What does not decide does not matter.
  const open = parts.filter((part) => part.constant !== !decisive).map(({ run }) => run);
  const [first, second] = open;
  if (first === undefined) return constant(!decisive);
  if (second === undefined) return varying(single(first));
  return varying(open.length === 2 ? pair(first, second, decisive) : several(open, decisive));
}

function single(run: Run): Run {
  return (frame) => {
    const value = run(frame);
    return typeof value === "boolean" || value instanceof Abnormal ? value : NO_SUCH_OVERLOAD;
  };
}

function pair(one: Run, other: Run, decisive: boolean): Run {
  return (frame) => {
    const a = one(frame);
    if (a === decisive) return a;
    const b = other(frame);
    if (b === decisive) return b;
    if (typeof a === "boolean" && typeof b === "boolean") return b;
    return undecided(a, b);
  };
}

function several(runs: readonly Run[], decisive: boolean): Run {
  return (frame) => {
    let result: Result = !decisive;
    for (const run of runs) {
      const value = run(frame);
      if (value === decisive) return value;
      if (value !== !decisive || result !== !decisive) result = undecided(result, value);
    }
    return result;
  };
}

/** Of two values that do not decide, one of which is no bool. */
function undecided(a: Result, b: Result): Abnormal {
  const one = a instanceof Abnormal ? a : typeof a === "boolean" ? null : NO_SUCH_OVERLOAD;
  const other = b instanceof Abnormal ? b : typeof b === "boolean" ? null : NO_SUCH_OVERLOAD;
  if (one !== null && other !== null) return merge(one, other);
  return one ?? other ?? NO_SUCH_OVERLOAD;
}

export function compileConditional(condition: Code, yes: Code, no: Code): Code {
  if (condition.constant === true) return yes;
  if (condition.constant === false) return no;
  return varying((frame) => {
    const value = condition.run(frame);
    if (value === true) return yes.run(frame);
    if (value === false) return no.run(frame);
    return value instanceof Abnormal ? value : NO_SUCH_OVERLOAD;
  });
}
