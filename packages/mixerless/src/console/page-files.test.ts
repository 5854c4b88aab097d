import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { pageFiles } from "./page-files.ts";

describe("the page's files", () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "mixerless-page-"));
    await mkdir(join(folder, "assets"));
    await writeFile(join(folder, "index.html"), "<!doctype html>");
    await writeFile(join(folder, "assets", "index-1234.js"), "1;");
    await writeFile(join(folder, "notes.txt"), "not of the page");
  });

  afterEach(() => rm(folder, { recursive: true, force: true }));

  it("are served by their names, the page itself at /, with nothing allowed from elsewhere", async () => {
    const handlers = new Map((await pageFiles(folder)).map((handler) => [handler.path, handler]));
    expect([...handlers.keys()].sort()).toEqual(["/", "/assets/index-1234.js"]);
    const answer = await handlers.get("/")?.handle(new URLSearchParams(), { headers: {} });
    expect(answer).toMatchObject({ body: "<!doctype html>", contentType: "text/html; charset=UTF-8" });
    expect(answer?.headers?.["content-security-policy"]).toContain("default-src 'self'");
    expect(handlers.get("/assets/index-1234.js")?.mutates).toBe(false);
  });

  it("are missed with an error when the page was not built", async () => {
    await expect(pageFiles(join(folder, "nothing"))).rejects.toThrow(/ENOENT/);
  });
});
