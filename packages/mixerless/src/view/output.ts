import { Option } from "commander";
import { stringify } from "yaml";

/** `-o`, as every command that shows something has it. */
export function outputOption(): Option {
  return new Option("-o, --output <format>", "how to print")
    .choices(["short", "table", "json", "yaml"])
    .default("short");
}

/** Prints `value` for programs, or what `short` makes for people. */
export function print(format: string, value: unknown, short: () => string): void {
  process.stdout.write(render(format, value, short));
}

export function render(format: string, value: unknown, short: () => string): string {
  if (format === "json") return `${JSON.stringify(value, null, 2)}\n`;
  if (format === "yaml") return stringify(value);
  return short();
}
