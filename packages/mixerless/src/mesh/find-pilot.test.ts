import { mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { findPilot } from "./find-pilot.ts";
import { runningMeshes, stateFolder, writeStateFile } from "./state-file.ts";

describe("the running mesh", () => {
  let home: string;
  let folder: string;

  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), "mixerless-state-"));
    folder = stateFolder({ XDG_STATE_HOME: home });
  });

  afterEach(() => rm(home, { recursive: true, force: true }));

  const find = (flag?: string) => findPilot(flag, { XDG_STATE_HOME: home });
  const mesh = { pid: process.pid, pilot: "http://127.0.0.1:18080", config: ["istio"] };

  it("is found by a file that only its owner can read, and is gone when that is removed", async () => {
    const remove = await writeStateFile(folder, mesh);
    const [file = ""] = await readdir(folder);
    expect((await stat(join(folder, file))).mode & 0o777).toBe(0o600);
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
    expect(await find()).toBe("http://127.0.0.1:18080");
    await remove();
    await expect(find()).rejects.toThrow(/No running mesh found. Start one with `mixerless demo`/);
  });

  it("is not taken from files of processes that are gone, or that make no sense; they are removed", async () => {
    await writeStateFile(folder, { ...mesh, pid: 2 ** 22 + 1 });
    await writeFile(join(folder, "mesh-1.json"), "{");
    await writeFile(join(folder, "notes.txt"), "mine");
    expect(await runningMeshes(folder)).toEqual([]);
    expect(await readdir(folder)).toEqual(["notes.txt"]);
  });

  it("must be named when there are several", async () => {
    await writeStateFile(folder, mesh);
    await writeStateFile(folder, { ...mesh, pid: process.ppid, pilot: "http://127.0.0.1:18081" });
    const several = find();
    await expect(several).rejects.toThrow("Several meshes are running. Name one:");
    await expect(several).rejects.toThrow(`--pilot http://127.0.0.1:18080   (pid ${process.pid}, istio)`);
    await expect(several).rejects.toThrow(`--pilot http://127.0.0.1:18081   (pid ${process.ppid}, istio)`);
    expect(await find("127.0.0.1:9")).toBe("http://127.0.0.1:9");
  });

  it("is taken from the environment, and from the flag before that", async () => {
    const environment = { MIXERLESS_PILOT: "http://127.0.0.1:1", XDG_STATE_HOME: home };
    expect(await findPilot(undefined, environment)).toBe("http://127.0.0.1:1");
    expect(await findPilot("http://127.0.0.1:2/", environment)).toBe("http://127.0.0.1:2");
    await expect(find("nowhere")).rejects.toThrow(/--pilot "nowhere" is no URL such as/);
  });
});
