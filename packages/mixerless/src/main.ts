import { keepHeapTop } from "./heap-top.ts";
import { CommandError } from "./mesh/command-error.ts";
import { forwardsRequests, keepYoungGenerationSmall } from "./young-generation.ts";

if (forwardsRequests(process.argv[2])) keepHeapTop();
keepYoungGenerationSmall(process.argv[2]);
try {
  const { createProgram } = await import("./commands/program.ts");
  const program = await createProgram(process.argv[2]);
  await program.parseAsync();
} catch (error) {
  process.stderr.write(`mixerless: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(error instanceof CommandError ? error.exitCode : 1);
}
