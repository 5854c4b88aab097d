import { readdir, readFile } from "node:fs/promises";
import { extname, join } from "node:path";
import type { AdminHandler } from "@mixerless/admin-server";

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=UTF-8",
  ".js": "text/javascript; charset=UTF-8",
  ".css": "text/css; charset=UTF-8",
  ".svg": "image/svg+xml",
};

/** Nothing from anywhere else, and no script but the page's own files. */
const POLICY = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'";

/** One handler for each file of the built page, read once. Rejects when the page has not been built. */
export async function pageFiles(folder: string): Promise<AdminHandler[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile() && TYPES[extname(entry.name)] !== undefined);
  return Promise.all(
    files.map(async (entry) => {
      const file = join(entry.parentPath, entry.name);
      const body = await readFile(file, "utf8");
      const path = file.slice(folder.length).replaceAll("\\", "/");
      const isPage = path === "/index.html";
      const answer = {
        body,
        contentType: TYPES[extname(entry.name)] as string,
        // The names of all but the page hold a digest of what is in them.
        headers: isPage
          ? { "content-security-policy": POLICY, "referrer-policy": "no-referrer" }
          : { "cache-control": "public, max-age=31536000, immutable" },
      };
      return { path: isPage ? "/" : path, help: "the page", mutates: false, handle: () => answer };
    }),
  );
}
