import type { Command } from "commander";
import { renderCheck, runChecks } from "../checks/check.ts";
import { meshChecks } from "../checks/mesh-checks.ts";
import { outputOption, print } from "../view/output.ts";

export function addCheck(program: Command): void {
  program
    .command("check")
    .description("look for problems, from this machine to single proxies, and say what to do about them")
    .option("--pilot <url>", "control plane (default: the mesh that runs here)")
    .addOption(outputOption())
    .addHelpText(
      "after",
      "\nEnds with 1 when a check failed; doubts (‼) alone end with 0.\n\nExamples:\n  mixerless check\n  mixerless check -o json | jq '.[] | select(.state != \"ok\")'",
    )
    .action(async (flags: { pilot?: string; output: string }) => {
      const forPeople = flags.output === "short" || flags.output === "table";
      let section = "";
      const results = await runChecks(meshChecks(flags.pilot, process.env, process.version), (result) => {
        if (!forPeople) return;
        process.stdout.write(renderCheck(result, section));
        section = result.section;
      });
      const bad = results.some(({ state }) => state === "failed");
      print(flags.output, results, () => `\nStatus check results are ${bad ? "×" : "√"}\n`);
      process.exitCode = bad ? 1 : 0;
    });
}
