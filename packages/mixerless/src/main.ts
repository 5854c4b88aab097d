import { createProgram } from "./commands/program.ts";

try {
  await createProgram().parseAsync();
} catch (error) {
  process.stderr.write(`mixerless: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}
