import { CommandError } from "./mesh/command-error.ts";
import { keepYoungGenerationSmall } from "./young-generation.ts";

keepYoungGenerationSmall(process.argv[2]);
try {
  const { createProgram } = await import("./commands/program.ts");
  await createProgram().parseAsync();
} catch (error) {
  process.stderr.write(`mixerless: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(error instanceof CommandError ? error.exitCode : 1);
}
