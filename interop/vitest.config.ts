import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

// Suites with real programs. They start processes from the built files, so build before.
export default defineConfig({
  root: fileURLToPath(new URL(".", import.meta.url)),
  resolve: { conditions: ["mixerless-source"] },
  ssr: { resolve: { conditions: ["mixerless-source", "node", "import", "module", "default"] } },
  test: {
    include: ["test/**/*.test.ts"],
    // Meshes and load share two cores; one suite at a time keeps the rates steady.
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 180_000,
    passWithNoTests: false,
  },
});
