/** What an evaluation gives where there is no value. */
export abstract class Abnormal {
  abstract readonly reason: string;
}

/** The evaluation failed. */
export class Failure extends Abnormal {
  readonly reason: string;

  constructor(reason: string) {
    super();
    this.reason = reason;
  }
}

/** The result depends on attributes that are not known yet. */
export class Unknown extends Abnormal {
  readonly attributes: readonly string[];

  constructor(attributes: readonly string[]) {
    super();
    this.attributes = attributes;
  }

  get reason(): string {
    return `not known yet: ${this.attributes.join(", ")}`;
  }
}

/** Of two results without a value: what is unknown may still become a value, so it outweighs a failure. */
export function merge(one: Abnormal, other: Abnormal): Abnormal {
  if (one instanceof Unknown && other instanceof Unknown)
    return new Unknown([...new Set([...one.attributes, ...other.attributes])]);
  return other instanceof Unknown ? other : one;
}

export const NO_SUCH_OVERLOAD = new Failure("no such overload: the operands do not fit the operator");
export const DIVISION_BY_ZERO = new Failure("division by zero");
export const MODULUS_BY_ZERO = new Failure("modulus by zero");
export const INT_OVERFLOW = new Failure("integer overflow: the result is out of range");
export const TOO_EXPENSIVE = new Failure("the evaluation exceeds its budget");
