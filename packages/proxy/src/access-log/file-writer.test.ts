import { mkdtemp, readFile, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openFileWriter } from "./file-writer.ts";

let folder = "";

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "access-log-"));
});

afterEach(() => rm(folder, { recursive: true }));

function write(path: string, texts: readonly string[]): Promise<(Error | null)[]> {
  const writer = openFileWriter(path);
  return texts.reduce<Promise<(Error | null)[]>>(
    async (before, text) => [
      ...(await before),
      await new Promise<Error | null>((resolve) => writer.write(Buffer.from(text), resolve)),
    ],
    Promise.resolve([]),
  );
}

describe("a file writer", () => {
  it("makes the file and appends to it", async () => {
    const path = join(folder, "log");
    expect(await write(path, ["a\n", "b\n"])).toEqual([null, null]);
    expect(await write(path, ["c\n"])).toEqual([null]);
    expect(await readFile(path, "utf8")).toBe("a\nb\nc\n");
  });

  it("says what went wrong, and is no obstacle to the next batch", async () => {
    const [error] = await write(join(folder, "missing", "log"), ["a\n"]);
    expect(error?.message).toContain("ENOENT");
  });

  it("goes on in a new file when it is reopened after a rotation", async () => {
    const path = join(folder, "log");
    const writer = openFileWriter(path);
    const put = (text: string) => new Promise((resolve) => writer.write(Buffer.from(text), resolve));
    await put("a\n");
    await rename(path, `${path}.1`);
    await put("b\n");
    writer.reopen();
    await put("c\n");
    expect(await readFile(`${path}.1`, "utf8")).toBe("a\nb\n");
    expect(await readFile(path, "utf8")).toBe("c\n");
    writer.close();
  });
});
