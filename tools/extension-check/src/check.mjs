// Checks that the extension sources mean the same to both compilers: the rules of subset.mjs, then a compilation by asc.
import { compile } from "./compile.mjs";
import { extensions, sharedSources } from "./extensions.mjs";
import { checkSubset } from "./subset.mjs";

const sources = sharedSources();
const faults = checkSubset(sources);
for (const fault of faults) console.error(`${fault.file}:${fault.line}: ${fault.rule}: ${fault.text}`);
for (const extension of extensions) {
  try {
    compile(extension, ["-O0"]);
  } catch (error) {
    faults.push(error);
    console.error(error.message);
  }
}
if (faults.length > 0) process.exit(1);
console.log(`${sources.length} files, ${extensions.length} extensions: no faults`);
