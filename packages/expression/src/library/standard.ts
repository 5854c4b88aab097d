import { conversions } from "./conversions.ts";
import { operators } from "./operators.ts";
import type { Library } from "./overload.ts";
import { texts } from "./texts.ts";
import { timeParts } from "./time-parts.ts";

/** The functions and operators of the language itself. */
export function standardLibrary(): Library {
  return [...operators(), ...conversions(), ...texts(), ...timeParts()];
}
