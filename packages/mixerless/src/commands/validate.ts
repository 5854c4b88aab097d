import { stat } from "node:fs/promises";
import { formatFaults, validateFiles } from "@mixerless/pilot";
import { type Command, Option } from "commander";
import { CommandError } from "../mesh/command-error.ts";
import { ISTIO_VERSION } from "../version.ts";
import { render } from "../view/output.ts";

export function addValidate(program: Command): void {
  program
    .command("validate")
    .description("say what the control plane would make of files, without running anything")
    .argument("[files...]", "files and folders of Istio YAML")
    .option("-f, --filename <path...>", "the same, as istioctl has it")
    .addOption(new Option("-o, --output <format>", "how to print").choices(["short", "json", "yaml"]).default("short"))
    .addHelpText(
      "after",
      "\nEnds with 1 when something would be refused; warnings alone end with 0.\n\nExamples:\n  mixerless validate istio/\n  mixerless validate -f gateway.yaml -f routes.yaml -o json",
    )
    .action(async (files: string[], flags: { filename?: string[]; output: string }) => {
      const paths = [...files, ...(flags.filename ?? [])];
      if (paths.length === 0) throw new CommandError("Name the files or folders to validate.", 2);
      for (const path of paths)
        await stat(path).catch((error: Error) => {
          throw new CommandError(`${path} cannot be read: ${error.message}.`, 2);
        });
      const report = await validateFiles(paths, ISTIO_VERSION);
      const { errors, warnings, objects, faults } = report;
      const verdict =
        errors > 0
          ? `validation failed: ${count(errors, "error")}`
          : `validation succeed: ${count(objects, "object")} valid`;
      const summary = `${verdict}${warnings > 0 ? `, ${count(warnings, "warning")}` : ""}\n`;
      const text = faults.length === 0 ? summary : `${formatFaults(faults)}\n\n${summary}`;
      process.stdout.write(render(flags.output, report, () => text));
      process.exitCode = errors > 0 ? 1 : 0;
    });
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? "" : "s"}`;
}
