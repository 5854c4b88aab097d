import { Abnormal, merge, NO_SUCH_OVERLOAD } from "../values/abnormal.ts";
import { valuesEqual } from "../values/equality.ts";
import { MapValue, type Result, type Value } from "../values/value.ts";
import type { Code, Frame, Run } from "./frame.ts";

/** `value in container`. A list that never changes becomes a set. */
export function compileMembership(value: Code, container: Code): Run {
  const { constant } = container;
  const texts = Array.isArray(constant) && constant.every((one) => typeof one === "string") ? new Set(constant) : null;
  const first = value.run;
  const second = container.run;
  return (frame) => {
    const a = first(frame);
    if (texts !== null && typeof a === "string") return texts.has(a);
    const b = second(frame);
    if (a instanceof Abnormal) return b instanceof Abnormal ? merge(a, b) : a;
    return b instanceof Abnormal ? b : contains(a, b, frame);
  };
}

function contains(value: Value, container: Value, frame: Frame): Result {
  if (Array.isArray(container)) {
    frame.spend(container.length);
    return container.some((element) => valuesEqual(element, value, frame));
  }
  return container instanceof MapValue ? container.get(value) !== undefined : NO_SUCH_OVERLOAD;
}
