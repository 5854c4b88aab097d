import { fileURLToPath } from "node:url";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

export default defineConfig({
  root: fileURLToPath(new URL("web", import.meta.url)),
  // The page may be served below any path.
  base: "./",
  plugins: [react()],
  build: { outDir: "../dist/web", emptyOutDir: true, target: "es2023", assetsInlineLimit: 0 },
  server: { proxy: { "/api": process.env.MIXERLESS_CONSOLE ?? "http://127.0.0.1:15080" } },
});
