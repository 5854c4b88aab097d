import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

/** Istio's published schemas, which are not part of this repository: where ISTIO_DATA says, or beside the checkout. */
const beside = fileURLToPath(new URL("../shared/data", import.meta.url));
const istioData = process.env.ISTIO_DATA ?? (existsSync(beside) ? beside : undefined);

// Tests run from the TypeScript sources of every package, so a change needs no build to be tried.
// Only the whole-mesh tests start processes; those use the built files.
export default defineConfig({
  resolve: { conditions: ["mixerless-source"] },
  ssr: { resolve: { conditions: ["mixerless-source", "node", "import", "module", "default"] } },
  test: {
    include: [
      "packages/*/src/**/*.test.ts",
      "packages/*/test/**/*.test.ts",
      "packages/console/web/**/*.test.ts",
      "samples/*/src/**/*.test.ts",
      "samples/*/test/**/*.test.ts",
      "scripts/*.test.mjs",
    ],
    setupFiles: ["scripts/seed-properties.mjs"],
    passWithNoTests: false,
    env: istioData === undefined ? {} : { ISTIO_DATA: istioData },
    // Against hanging only: on a busy machine a right answer may take its time.
    testTimeout: 30_000,
    hookTimeout: 30_000,
  },
});
