// Compiles every extension to Wasm, into dist/.
import { statSync } from "node:fs";
import { compile } from "./compile.mjs";
import { extensions } from "./extensions.mjs";

for (const extension of extensions) {
  const file = compile(extension);
  console.log(`${file}: ${statSync(file).size} bytes`);
}
