import { InvalidArgumentError } from "commander";

/** A flag `key=value` that may be given several times. */
export function label(text: string, previous: Readonly<Record<string, string>>): Record<string, string> {
  const equals = text.indexOf("=");
  if (equals < 1) throw new InvalidArgumentError("Give key=value.");
  return { ...previous, [text.slice(0, equals)]: text.slice(equals + 1) };
}
