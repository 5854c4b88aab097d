import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { VirtualClock } from "@mixerless/clock";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ConfigStore } from "./config-store.ts";
import { FileSource, type FileSourceOptions } from "./file-source.ts";
import { loadFiles } from "./load-files.ts";

const rule = (name: string, host = name) =>
  `apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: ${name}}\nspec: {host: ${host}}\n`;

let directory: string;
const open: FileSource[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "config-"));
});

afterEach(() => {
  for (const source of open.splice(0)) source.close();
  rmSync(directory, { recursive: true });
});

const path = (name: string) => join(directory, name);
const save = (name: string, text: string) => writeFileSync(path(name), text);

async function start(options: Partial<FileSourceOptions> = {}) {
  const store = new ConfigStore();
  const clock = new VirtualClock();
  const source = new FileSource({ paths: [directory], store, clock, watch: false, ...options });
  open.push(source);
  await source.start();
  const hosts = () =>
    store
      .snapshot()
      .list("DestinationRule")
      .map(({ spec }) => spec.host);
  const codes = () => store.faults().map(({ code }) => code);
  return { store, clock, source, hosts, codes };
}

describe("a file that is written in place", () => {
  test("keeps what it held while it is empty, and loses nothing when it is written then", async () => {
    save("a.yaml", rule("a"));
    const { source, clock, hosts, store } = await start();
    const revision = store.snapshot().revision;
    save("a.yaml", "");
    await source.rescan();
    await source.rescan();
    expect(hosts()).toEqual(["a"]);
    save("a.yaml", rule("a", "b"));
    await source.rescan();
    expect(hosts()).toEqual(["b"]);
    clock.advance(1000);
    await source.idle();
    expect(hosts()).toEqual(["b"]);
    expect(store.snapshot().revision).not.toBe(revision);
  });

  test("that stays empty is meant to be", async () => {
    save("a.yaml", rule("a"));
    const { source, clock, hosts } = await start();
    save("a.yaml", "");
    await source.rescan();
    expect(hosts()).toEqual(["a"]);
    for (let time = 0; time < 450; time += 50) {
      clock.advance(50);
      await source.idle();
    }
    expect(hosts(), "whoever writes may stall").toEqual(["a"]);
    clock.advance(50);
    await source.idle();
    expect(hosts()).toEqual([]);
  });
});

describe("what is read", () => {
  test("YAML and JSON below a directory, in the order of their names", async () => {
    mkdirSync(path("sub"));
    save("b.yaml", rule("b"));
    save("a.yml", rule("a"));
    save(
      "sub/c.json",
      JSON.stringify({
        apiVersion: "networking.istio.io/v1",
        kind: "DestinationRule",
        metadata: { name: "c" },
        spec: { host: "c" },
      }),
    );
    save("notes.txt", rule("no"));
    save(".hidden.yaml", rule("no"));
    const { hosts, codes } = await start();
    expect(hosts()).toEqual(["a", "b", "c"]);
    expect(codes()).toEqual([]);
  });

  test("several paths, files of any name included, in the order given", async () => {
    mkdirSync(path("dir"));
    save("dir/a.yaml", rule("a"));
    save("first.conf", rule("z"));
    const { hosts } = await start({ paths: [path("first.conf"), path("dir")] });
    expect(hosts()).toEqual(["z", "a"]);
  });

  test("a file that is reached twice counts once", async () => {
    save("a.yaml", rule("a"));
    const { hosts, codes } = await start({ paths: [directory, path("a.yaml")] });
    expect(hosts()).toEqual(["a"]);
    expect(codes()).toEqual([]);
  });

  test("one bad file hides no other", async () => {
    save("a.yaml", "spec: [");
    save("b.yaml", rule("b"));
    const { hosts, codes } = await start();
    expect(hosts()).toEqual(["b"]);
    expect(codes()).toEqual(["syntax"]);
  });

  test("links of directories, also in a circle", async () => {
    mkdirSync(path("real"));
    save("real/a.yaml", rule("a"));
    symlinkSync(path("real"), path("link"));
    symlinkSync(directory, path("real/up"));
    const { hosts, codes } = await start();
    expect(hosts()).toEqual(["a"]);
    expect(codes()).toEqual([]);
  });
});

describe("changes", () => {
  test("written, replaced, added and removed files", async () => {
    save("a.yaml", rule("a"));
    save("b.yaml", rule("b"));
    const { source, store, hosts } = await start();
    save("a.yaml", rule("a", "a2"));
    save("new", rule("b", "b2"));
    renameSync(path("new"), path("b.yaml"));
    save("c.yaml", rule("c"));
    await source.rescan();
    expect(hosts()).toEqual(["a2", "b2", "c"]);
    unlinkSync(path("b.yaml"));
    await source.rescan();
    expect(hosts()).toEqual(["a2", "c"]);
    expect(store.snapshot().revision).toBe(3);
  });

  test("nothing written, nothing applied", async () => {
    save("a.yaml", rule("a"));
    const { source, store } = await start();
    let heard = 0;
    store.subscribe(() => heard++);
    await source.rescan();
    save("a.yaml", rule("a"));
    await source.rescan();
    expect(heard).toBe(0);
  });

  test("a mounted ConfigMap is swapped as a whole", async () => {
    mkdirSync(path("..v1"));
    save("..v1/a.yaml", rule("a"));
    symlinkSync("..v1", path("..data"));
    symlinkSync(join("..data", "a.yaml"), path("a.yaml"));
    const { source, hosts } = await start();
    expect(hosts()).toEqual(["a"]);
    mkdirSync(path("..v2"));
    save("..v2/a.yaml", rule("a", "a2"));
    symlinkSync("..v2", path("..new"));
    renameSync(path("..new"), path("..data"));
    await source.rescan();
    expect(hosts()).toEqual(["a2"]);
  });

  test("requests during a reading are served by one more", async () => {
    save("a.yaml", rule("a"));
    const { source, hosts } = await start();
    const first = source.rescan();
    save("a.yaml", rule("a", "a2"));
    await Promise.all([first, source.rescan(), source.rescan()]);
    expect(hosts()).toEqual(["a2"]);
  });
});

describe("failures", () => {
  test("a path that does not exist is reported, and forgotten when it appears", async () => {
    const { source, hosts, codes, store } = await start({ paths: [path("later")] });
    expect(codes()).toEqual(["path-unreadable"]);
    expect(store.faults()[0]?.file).toBe(path("later"));
    mkdirSync(path("later"));
    save("later/a.yaml", rule("a"));
    await source.rescan();
    expect(hosts()).toEqual(["a"]);
    expect(codes()).toEqual([]);
  });

  test("a directory that vanishes keeps its objects", async () => {
    mkdirSync(path("dir"));
    save("dir/a.yaml", rule("a"));
    const { source, hosts, codes } = await start({ paths: [path("dir")] });
    rmSync(path("dir"), { recursive: true });
    await source.rescan();
    expect(hosts()).toEqual(["a"]);
    expect(codes()).toEqual(["path-unreadable"]);
  });

  test("a file that is too large keeps its objects", async () => {
    save("a.yaml", rule("a"));
    const { source, hosts, codes } = await start({ maxFileSize: 200 });
    save("a.yaml", `${rule("a", "a2")}${"# padding\n".repeat(20)}`);
    await source.rescan();
    expect(hosts()).toEqual(["a"]);
    expect(codes()).toEqual(["file-too-large"]);
  });

  test("too many files: the rest is not read, nothing is dropped", async () => {
    save("a.yaml", rule("a"));
    save("b.yaml", rule("b"));
    const { hosts, codes } = await start({ maxFiles: 1 });
    expect(hosts()).toEqual(["a"]);
    expect(codes()).toEqual(["too-many-files"]);
  });
});

describe("watching", () => {
  test("polling finds a change without any event", async () => {
    save("a.yaml", rule("a"));
    const { clock, source, hosts } = await start({ watch: true });
    save("a.yaml", rule("a", "longer"));
    clock.advance(1_000);
    await source.idle();
    expect(hosts()).toEqual(["longer"]);
  });

  test("closing leaves no timer behind", async () => {
    const { clock, source } = await start({ watch: true });
    expect(clock.pending).toBe(1);
    source.close();
    expect(clock.pending).toBe(0);
  });
});

test("loading once", async () => {
  save("a.yaml", `${rule("a")}---\n${rule("b", "5")}`);
  save("c.yaml", rule("c").replace("host: c", "host: c, substs: []"));
  expect((await loadFiles([directory])).snapshot().size).toBe(2);
});
