import { createProgram } from "./commands/program.ts";
import { CommandError } from "./mesh/command-error.ts";

try {
  await createProgram().parseAsync();
} catch (error) {
  process.stderr.write(`mixerless: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(error instanceof CommandError ? error.exitCode : 1);
}
