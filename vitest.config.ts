import { defineConfig } from "vitest/config";

// Tests run from the TypeScript sources of every package, so a change needs no build to be tried.
// Only the whole-mesh tests start processes; those use the built files.
export default defineConfig({
  resolve: { conditions: ["mixerless-source"] },
  ssr: { resolve: { conditions: ["mixerless-source", "node", "import", "module", "default"] } },
  test: {
    include: [
      "packages/*/src/**/*.test.ts",
      "packages/*/test/**/*.test.ts",
      "samples/*/src/**/*.test.ts",
      "samples/*/test/**/*.test.ts",
      "scripts/*.test.mjs",
    ],
    setupFiles: ["scripts/seed-properties.mjs"],
    passWithNoTests: false,
    // Against hanging only: on a busy machine a right answer may take its time.
    testTimeout: 30_000,
    hookTimeout: 30_000,
  },
});
