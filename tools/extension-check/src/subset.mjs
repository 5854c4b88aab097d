import { createRequire } from "node:module";
import { join } from "node:path";
import { subsetFaults } from "../../../packages/mixerless/dist/plugin/check/subset.js";
import { repository } from "./extensions.mjs";

const ts = createRequire(join(repository, "package.json"))("typescript");

/** The faults of these files (relative to the repository): where, which rule, which text. */
export function checkSubset(files) {
  const names = files.map((file) => join(repository, file));
  const program = ts.createProgram(names, compilerOptions());
  const checker = program.getTypeChecker();
  return files.flatMap((file, i) =>
    subsetFaults(ts, program.getSourceFile(names[i]), checker).map((fault) => ({ file, ...fault })),
  );
}

function compilerOptions() {
  const read = ts.readConfigFile(join(repository, "tsconfig.base.json"), ts.sys.readFile);
  const { options } = ts.convertCompilerOptionsFromJson(read.config.compilerOptions, repository);
  return { ...options, composite: false, incremental: false, noEmit: true, types: [] };
}
