import { existsSync } from "node:fs";
import { createServer } from "node:net";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

/** Path of a program that `interop/setup.sh` installs, or null. */
export function findProgram(name: string): string | null {
  const own = fileURLToPath(new URL("../.python/bin", import.meta.url));
  const folders = [own, ...(process.env.PATH ?? "").split(delimiter), "/usr/sbin", "/sbin"];
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path)) ?? null;
}

/** What is said of a suite: its name, or why it is skipped. */
export function titled(name: string, missing: readonly (string | false)[]): string {
  const reasons = missing.filter((reason) => reason !== false);
  return reasons.length === 0 ? name : `${name} [skipped: ${reasons.join(", ")}]`;
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
