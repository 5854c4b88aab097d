import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { get } from "node:http";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { RunningDemo } from "./running-demo.ts";

const COMMAND = fileURLToPath(new URL("../bin/mixerless.js", import.meta.url));
const MODULES = dirname(dirname(createRequire(import.meta.url).resolve("typescript/package.json")));
const GUIDES = ["docs/guide/plugin-authors.md", "docs/zh-CN/guide/plugin-authors.md"];
/** What starts compilers and test runners takes its time where others work too. */
const LONG = 180_000;

let place = "";
let source = "";
const plugin = () => join(place, "hello", "src", "plugin.ts");

/** A command as an author types it, in the plugin's folder. */
async function type(words: string, cwd = join(place, "hello")): Promise<{ code: number; said: string }> {
  const [, ...args] = words.split(" ");
  const child = spawn(process.execPath, [COMMAND, ...args], { cwd, env: { ...process.env, NO_COLOR: "1" } });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      said += text;
    });
  }
  const [code] = (await once(child, "close")) as [number];
  return { code, said };
}

/** Saves the plugin's source with one line changed. */
async function edit(from: string, to: string): Promise<void> {
  expect(source).toContain(from);
  await writeFile(plugin(), source.replace(from, to));
}

beforeAll(async () => {
  place = await mkdtemp(join(tmpdir(), "mixerless-authors-"));
  const made = await type("mixerless plugin new hello --no-install", place);
  expect(made, made.said).toMatchObject({ code: 0 });
  // In place of npm install: the workspace has the same tools.
  await symlink(MODULES, join(place, "hello", "node_modules"));
  source = await readFile(plugin(), "utf8");
}, LONG);

afterAll(async () => {
  await rm(place, { recursive: true, force: true });
});

describe("a new plugin", () => {
  it(
    "is made by the command that the guides show, and not over something else",
    async () => {
      for (const guide of GUIDES) {
        const text = await readFile(fileURLToPath(new URL(`../../../${guide}`, import.meta.url)), "utf8");
        for (const command of ["new hello", "test", "build", "dev"])
          expect(text).toContain(`mixerless plugin ${command}`);
      }
      const again = await type("mixerless plugin new hello", place);
      expect(again.code).toBe(2);
      expect(again.said).toContain("is not empty");
      expect((await type("mixerless plugin new Hello!", place)).code).toBe(2);
    },
    LONG,
  );

  it(
    "passes its tests in both forms",
    async () => {
      const { code, said } = await type("mixerless plugin test");
      expect(code, said).toBe(0);
      expect(said).toMatch(/In process:[\s\S]*4 passed[\s\S]*As a Wasm module:[\s\S]*4 passed/);
    },
    LONG,
  );

  it(
    "becomes a module that imports nothing but host calls",
    async () => {
      const { code, said } = await type("mixerless plugin build");
      expect(code, said).toBe(0);
      expect(said).toMatch(
        /build\/hello\.wasm +\d+ bytes \(\d+ gzipped\), ABI 0\.2\.1, \d+ host calls\nsha256 [0-9a-f]{64}\n/,
      );
      const map = JSON.parse(await readFile(join(place, "hello/build/hello.wasm.map"), "utf8")) as {
        sources: string[];
      };
      expect(map.sources).toContain("src/plugin.ts");
    },
    LONG,
  );
});

describe("a plugin that uses every kind of call", () => {
  it(
    "does the same in both forms: headers, bodies, replies, calls to clusters, ticks under virtual time",
    async () => {
      const guard = fileURLToPath(new URL("./fixtures/guard/", import.meta.url));
      const { code, said } = await type("mixerless plugin test", guard);
      expect(code, said).toBe(0);
      expect(said).toMatch(/In process:[\s\S]*6 passed[\s\S]*As a Wasm module:[\s\S]*6 passed/);
    },
    LONG,
  );
});

describe("what can't be built", () => {
  const COUNT = "    counter.add(1);";
  const cases: readonly (readonly [what: string, from: string, to: string, fault: RegExp])[] = [
    ["a type", COUNT, "    counter.ad(1);", /src\/plugin\.ts:\d+:13: Property 'ad' does not exist.*\(TS2339\)/],
    ["syntax", COUNT, "    counter?.add(1);", /src\/plugin\.ts:\d+:5: AssemblyScript has no \?\.: compare with null/],
    [
      "two meanings",
      COUNT,
      "    counter.add(code / 2);",
      /src\/plugin\.ts:\d+:17: division of integers cuts in Wasm only/,
    ],
    [
      "an import",
      COUNT,
      "    counter.add(Math.random());",
      /src\/plugin\.ts:\d+:17: Math\.random does not link in Envoy/,
    ],
    [
      "a conversion",
      COUNT,
      "    const n: i32 = stream.getNumber(this.code, 0);",
      /src\/plugin\.ts:\d+:20: .*toInt\(x\)/,
    ],
    [
      "a closure",
      COUNT,
      "    let n: i32 = code;\n    n += 1;\n    const f = (): i32 => n;\n    counter.add(f());",
      /src\/plugin\.ts:\d+:26: Not implemented: Closures \(AS100\); .*fields of an object/,
    ],
    ["no root", "export function createRoot", "export function makeRoot", /src\/plugin\.ts: .*createRoot.*RootHandle/],
  ];
  it.each(cases)(
    "says where and what to do: %s",
    async (_what, from, to, fault) => {
      await edit(from, to);
      const { code, said } = await type("mixerless plugin build");
      expect(code).toBe(1);
      expect(said).toMatch(fault);
    },
    LONG,
  );

  it(
    "is found by the tests of the Wasm form where only that traps, at the line of the source",
    async () => {
      await edit(
        "    counter.add(1);",
        "    const list: i32[] = [];\n    if (list[code]! > 1) return;\n    counter.add(1);",
      );
      const { code, said } = await type("mixerless plugin test");
      expect(code).toBe(1);
      expect(said).toMatch(/In process:[\s\S]*4 passed[\s\S]*As a Wasm module:[\s\S]*1 failed/);
      const line = source.slice(0, source.indexOf("    counter.add(1);")).split("\n").length + 1;
      expect(said).toContain(`(src/plugin.ts:${line}:`);
    },
    LONG,
  );
});

describe("a plugin in the making", () => {
  let demo: RunningDemo | null = null;
  let dev: ChildProcess | null = null;
  let said = "";

  afterAll(async () => {
    dev?.kill("SIGTERM");
    if (dev !== null && dev.exitCode === null) await once(dev, "exit");
    await demo?.stop();
  }, 30_000);

  async function says(text: string): Promise<void> {
    const from = said.length;
    while (!said.slice(from).includes(text)) await once((dev as ChildProcess).stdout as NodeJS.ReadableStream, "data");
  }

  it(
    "runs in the demo, and what is saved takes its place while requests go on",
    async () => {
      await writeFile(plugin(), source);
      demo = await RunningDemo.start("--no-traffic", "--loopback", "single");
      const page = `${demo.summary.ingress}/productpage`;
      const args = ["plugin", "dev", "--into", demo.summary.config, "--pilot", demo.summary.pilot];
      dev = spawn(process.execPath, [COMMAND, ...args], { cwd: join(place, "hello") });
      dev.stdout?.setEncoding("utf8").on("data", (text: string) => {
        said += text;
      });
      await says("Runs in productpage-v1.default.");
      expect(await header(page)).toEqual([200, "hello"]);

      const answers: number[] = [];
      let swapped = false;
      const load = (async () => {
        while (!swapped) answers.push((await header(page))[0]);
      })();
      const turn = says("Runs in productpage-v1.default.");
      await edit("this.root.value);", 'new HeaderValue("saved"));');
      await turn;
      swapped = true;
      await load;
      expect(await header(page)).toEqual([200, "saved"]);
      expect(answers.length).toBeGreaterThan(0);
      expect(new Set(answers)).toEqual(new Set([200]));
    },
    LONG,
  );

  it(
    "keeps the last good module while the source has a fault",
    async () => {
      const page = `${demo?.summary.ingress}/productpage`;
      const told = says("Not built:");
      await edit("this.root.value);", "this.root.valu);");
      await told;
      expect(await header(page)).toEqual([200, "saved"]);
    },
    LONG,
  );

  it(
    "takes another configuration",
    async () => {
      const page = `${demo?.summary.ingress}/productpage`;
      const turn = says("Runs in productpage-v1.default.");
      await writeFile(plugin(), source);
      await writeFile(join(place, "hello/plugin-config.json"), '{ "header": "x-hello", "value": "good day" }');
      await turn;
      await expect.poll(() => header(page), { timeout: 20_000 }).toEqual([200, "good day"]);
    },
    LONG,
  );

  it(
    "shows a trap with the line of the source",
    async () => {
      const line = source.slice(0, source.indexOf("    counter.add(1);")).split("\n").length + 1;
      const turn = says("Runs in productpage-v1.default.");
      await edit("    counter.add(1);", "    const list: i32[] = [];\n    if (list[code]! > 1) return;");
      await turn;
      const trap = says(`(src/plugin.ts:${line}:`);
      await header(`${demo?.summary.ingress}/productpage`);
      await trap;
      expect(said).toContain("Index out of range at ");
    },
    LONG,
  );
});

function header(url: string): Promise<[status: number, value: string | undefined]> {
  return new Promise((answer, fail) => {
    get(url, (response) => {
      response.resume().on("end", () => answer([response.statusCode ?? 0, response.headers["x-hello"]?.toString()]));
    }).on("error", fail);
  });
}
