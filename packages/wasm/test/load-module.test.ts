import { describe, expect, test } from "vitest";
import { isFault, type LoadedModule, type LoadFault, loadModule, resolveLimits } from "../src/index.ts";
import { assemble, moduleText, TestHost } from "../src/testing/index.ts";

const limits = resolveLimits({});
const load = (bytes: Uint8Array<ArrayBuffer>) => loadModule(bytes, limits);
const text = (source: string) => load(assemble(source));

function faultOf(result: LoadedModule | LoadFault): LoadFault {
  if (!isFault(result)) throw new Error("the module was loaded");
  return result;
}

async function loaded(source: string): Promise<LoadedModule> {
  const result = await text(source);
  if (isFault(result)) throw new Error(result.message);
  return result;
}

const good = assemble(moduleText(""));

describe("what is no module", () => {
  const bytes = (...values: number[]) => Uint8Array.from(values);
  const header = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];
  const cases: readonly (readonly [string, Uint8Array<ArrayBuffer>])[] = [
    ["nothing at all", bytes()],
    ["text", new Uint8Array(Buffer.from("<html>404 Not Found</html>"))],
    ["half a header", bytes(...header.slice(0, 6))],
    ["another version", bytes(0, 0x61, 0x73, 0x6d, 2, 0, 0, 0)],
    ["a component", bytes(0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0)],
    ["a section that is longer than the file", bytes(...header, 1, 0x7f, 1)],
    ["a size that never ends", bytes(...header, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff)],
    ["a section of no known kind", bytes(...header, 77, 0)],
    ["sections out of order", bytes(...header, 3, 1, 0, 1, 1, 0)],
    ["a section twice", bytes(...header, 1, 1, 0, 1, 1, 0)],
    ["a section with bytes left over", bytes(...header, 1, 2, 0, 0)],
    ["four billion types", bytes(...header, 1, 6, 0xff, 0xff, 0xff, 0xff, 0x0f, 0)],
    ["a function of a type that isn't there", bytes(...header, 3, 2, 1, 9)],
    ["a name that is longer than its section", bytes(...header, 0, 2, 0x7f, 0x61)],
    ["64-bit memory", bytes(...header, 5, 3, 1, 4, 1)],
    ["shared memory", bytes(...header, 5, 4, 1, 3, 1, 1)],
  ];
  test.each(cases)("%s", async (_name, module) => {
    const fault = faultOf(await load(module));
    expect(fault.code).toBe("wasm_corrupted");
    expect(fault.message).toContain("Failed to parse corrupted Wasm module");
  });

  test("every truncation of a good module is refused, and none throws", async () => {
    for (let end = 0; end < good.length; end++) {
      const result = await load(good.slice(0, end));
      expect(isFault(result), `cut at byte ${end}`).toBe(true);
    }
  });

  test("every change of a byte either loads or is refused, and none throws", async () => {
    let refused = 0;
    for (let at = 8; at < good.length; at++) {
      const changed = good.slice();
      changed[at] = (good[at] as number) ^ 0xff;
      if (isFault(await load(changed))) refused++;
    }
    expect(refused).toBeGreaterThan(good.length / 2);
  });
});

describe("what can't be linked", () => {
  test("no ABI version, an unknown one, one that is no function", async () => {
    for (const source of [
      moduleText("", { abi: "" }),
      moduleText("", { abi: "0_3_0" }),
      moduleText('(func $f) (export "proxy_abi_mosn_version_0_2_0" (func $f))', { abi: "" }),
      moduleText('(global $g i32 (i32.const 1)) (export "proxy_abi_version_0_2_1" (global $g))', { abi: "" }),
    ]) {
      const fault = faultOf(await text(source));
      expect(fault).toMatchObject({ code: "wasm_abi_unknown" });
      expect(fault.message).toContain("Missing or unknown Proxy-Wasm ABI version");
    }
  });

  test("code that the engine rejects", async () => {
    const fault = faultOf(await text(moduleText("(func $bad (result i32) (i64.const 1))")));
    expect(fault.code).toBe("wasm_rejected");
    expect(fault.message).toContain("Failed to load Wasm bytecode");
  });

  test("code that only the fuel's global would make valid is rejected: nobody refills its own fuel", async () => {
    // Index 1 is the first one that the module doesn't have.
    const fault = faultOf(await text(moduleText("(func $refill (global.set 1 (i32.const 100)))")));
    expect(fault.code).toBe("wasm_rejected");
  });

  test("missing imports are listed", async () => {
    const source = moduleText('(import "env" "seed" (func (result f64))) (import "foo" "bar" (func))');
    expect(faultOf(await text(source)).message).toBe(
      "Failed to load Wasm module due to a missing import: env.seed, foo.bar",
    );
  });

  test("an import of another type", async () => {
    const fault = faultOf(await text(moduleText('(import "env" "proxy_log" (func (param i64) (result i32)))')));
    expect(fault.code).toBe("wasm_import");
    expect(fault.message).toContain("import type mismatch for function: env.proxy_log");
    expect(fault.message).toContain("want: (i64) -> i32, but host exports: (i32, i32, i32) -> i32");
  });

  test("imported globals, memories and tables", async () => {
    for (const what of ["(global i32)", "(memory 1)", "(table 1)"]) {
      const source = `(module (import "env" "x" ${what}) (func (export "proxy_abi_version_0_2_1")))`;
      expect(faultOf(await text(source)).code, what).toBe("wasm_import");
    }
  });

  test("a callback of another type", async () => {
    const fault = faultOf(await text(moduleText('(func (export "proxy_on_log") (param i64))')));
    expect(fault.message).toBe(
      "Bad function signature for: proxy_on_log, want: (i32) -> (), but the module exports: (i64) -> ()",
    );
  });

  test("no allocator", async () => {
    const fault = faultOf(await text(moduleText("", { allocator: "" })));
    expect(fault).toEqual({ code: "wasm_allocator_missing", message: "Wasm module is missing malloc function." });
  });

  test("more bytes, memory or tables than allowed", async () => {
    const small = resolveLimits({ moduleBytes: 100, memoryPages: 16, tableElements: 1000 });
    expect(faultOf(await loadModule(good, small)).code).toBe("wasm_too_large");
    const roomy = resolveLimits({ memoryPages: 16, tableElements: 1000 });
    const memory = faultOf(await loadModule(assemble(moduleText("", { pages: "17" })), roomy));
    expect(memory.message).toBe("The module asks for 17 pages of memory; 16 are allowed");
    const table = faultOf(await loadModule(assemble(moduleText("(table 1001 funcref)")), roomy));
    expect(table.message).toContain("1001 elements of tables");
  });
});

describe("what is accepted", () => {
  test("each ABI version; the first marker decides", async () => {
    for (const [name, version] of [
      ["0_1_0", "0.1.0"],
      ["0_2_0", "0.2.0"],
      ["0_2_1", "0.2.1"],
    ]) {
      expect((await loaded(moduleText("", { abi: name ?? "" }))).abi).toBe(version);
    }
    const both = await loaded(moduleText('(func (export "proxy_abi_version_0_1_0"))', { abi: "0_2_0" }));
    expect(both.abi).toBe("0.2.0");
  });

  test("extra exports, an unknown WASI function, both WASI names, a function of the old ABI with a warning", async () => {
    const source = moduleText(`
      (import "wasi_unstable" "fd_close" (func (param i32) (result i32)))
      (import "wasi_snapshot_preview1" "made_up" (func (param i32 i64) (result i32)))
      (import "env" "proxy_clear_route_cache" (func (result i32)))
      (func (export "asyncify_start_unwind") (param i32))`);
    expect((await loaded(source)).warnings).toEqual([
      "imports env.proxy_clear_route_cache, which Envoy offers to modules of ABI 0.1.0 only (this one is 0.2.1)",
    ]);
  });

  test("the two header callbacks in either arity", async () => {
    const host = new TestHost();
    for (const [params, seen] of [
      ["(param i32 i32)", 7],
      ["(param i32 i32 $end i32)", 1],
    ] as const) {
      const result = seen === 1 ? "(local.get 2)" : "(i32.const 7)";
      const body = `(func (export "proxy_on_request_headers") ${params.replace("$end ", "")} (result i32) (drop ${result}) (i32.const 0))`;
      const plugin = await host.plugin(body, {}, { abi: "0_1_0" });
      expect(host.open(plugin).context.onRequestHeaders(true)).toBe(0);
    }
    host.close();
  });

  test("the digest is that of the file", async () => {
    const { createHash } = await import("node:crypto");
    const module = await load(good);
    expect(module).toMatchObject({ digest: createHash("sha256").update(good).digest("hex"), size: good.length });
  });
});
