import { Failure } from "../values/abnormal.ts";
import { NONE, OptionalValue, type Value } from "../values/value.ts";
import { isZeroValue } from "../values/zero.ts";
import { fn, type Library, method } from "./overload.ts";

const EMPTY = new Failure("optional.none() dereference: the optional has no value");
const never = () => EMPTY;

/** Optional values: `optional.of(x)`, `a.?b`, `orValue`. */
export function optionalLibrary(): Library {
  return [
    fn("optional.of(A) -> optional_type(A)", (value: Value) => new OptionalValue(value)),
    fn("optional.none() -> optional_type(A)", () => NONE),
    fn("optional.ofNonZeroValue(A) -> optional_type(A)", (value: Value) =>
      isZeroValue(value) ? NONE : new OptionalValue(value),
    ),
    method("hasValue(optional_type(A)) -> bool", ({ value }: OptionalValue) => value !== undefined),
    method("value(optional_type(A)) -> A", ({ value }: OptionalValue) => (value === undefined ? EMPTY : value)),
    method("or(optional_type(A), optional_type(A)) -> optional_type(A)", (one: OptionalValue, other: OptionalValue) =>
      one.value === undefined ? other : one,
    ),
    method("orValue(optional_type(A), A) -> A", ({ value }: OptionalValue, other: Value) =>
      value === undefined ? other : value,
    ),
    // The operators themselves are the compiler's; these say what they may be applied to.
    fn("_[_](optional_type(list(A)), int) -> optional_type(A)", never),
    fn("_[_](optional_type(map(A, B)), A) -> optional_type(B)", never),
    fn("_[?_](list(A), int) -> optional_type(A)", never),
    fn("_[?_](map(A, B), A) -> optional_type(B)", never),
    fn("_[?_](optional_type(list(A)), int) -> optional_type(A)", never),
    fn("_[?_](optional_type(map(A, B)), A) -> optional_type(B)", never),
  ];
}
