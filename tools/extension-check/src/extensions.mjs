import { join } from "node:path";
import { commonSources, repository } from "../../../scripts/extension-sources.mjs";

export { extensions, repository } from "../../../scripts/extension-sources.mjs";

export const here = join(repository, "tools/extension-check");

/** Every file that both compilers read, relative to the repository. */
export function sharedSources() {
  return commonSources().filter((file) => !/^packages\/sdk\/(wasm\/|[^/]+$)/.test(file));
}
