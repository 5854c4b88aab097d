import { fileURLToPath } from "node:url";

export type * from "./api.ts";

/** The folder of the built page: `index.html` and what it needs. */
export const CONSOLE_FILES = fileURLToPath(new URL("../dist/web", import.meta.url));
