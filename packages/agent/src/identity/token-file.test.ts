import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readTokenFile } from "./token-file.ts";

let folder: string;
let path: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "mixerless-token-"));
  path = join(folder, "token");
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe("the file of a join token", () => {
  it("is read without the space around it", async () => {
    await writeFile(path, " abc\n", { mode: 0o600 });
    expect(await readTokenFile(path)).toBe("abc");
  });

  it.each([0o640, 0o604, 0o622])("is refused where others may look or write (mode %o)", async (mode) => {
    await writeFile(path, "secret-token", { mode: 0o600 });
    await chmod(path, mode);
    const error = await readTokenFile(path).catch((fault: Error) => fault.message);
    expect(error).toBe(`The join token ${path} can be read by others. Make a new one, in a file of mode 0600.`);
  });

  it("is missed with the way to a new one", async () => {
    await expect(readTokenFile(path)).rejects.toThrow(
      `The join token ${path} cannot be read (ENOENT). Make one with: mixerless token create.`,
    );
    await writeFile(path, "\n", { mode: 0o600 });
    await expect(readTokenFile(path)).rejects.toThrow("is empty");
  });
});
