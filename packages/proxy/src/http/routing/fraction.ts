import type { RuntimeFractionalPercent } from "@mixerless/wire/envoy/config/core/v3/base";
import { type FractionalPercent, FractionalPercent_DenominatorType } from "@mixerless/wire/envoy/type/v3/percent";

/** A share of requests in 0…1. Without a value: `missing`. */
export function fractionOf(percent: FractionalPercent | undefined, missing: number): number {
  if (percent === undefined) return missing;
  return Math.min(1, percent.numerator / denominatorOf(percent.denominator));
}

/** The default value; there is no runtime layer that could override it. */
export function runtimeFraction(fraction: RuntimeFractionalPercent | undefined, missing: number): number {
  return fraction === undefined ? missing : fractionOf(fraction.defaultValue, missing);
}

function denominatorOf(type: FractionalPercent_DenominatorType): number {
  switch (type) {
    case FractionalPercent_DenominatorType.TEN_THOUSAND:
      return 10_000;
    case FractionalPercent_DenominatorType.MILLION:
      return 1_000_000;
    default:
      return 100;
  }
}
