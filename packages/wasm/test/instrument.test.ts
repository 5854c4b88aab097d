import { describe, expect, test } from "vitest";
import { instrument } from "../src/module/instrument.ts";
import { parseModule } from "../src/module/parse-module.ts";
import { assemble } from "../src/testing/index.ts";
import { backtraceOf } from "../src/vm/failure.ts";
import { engine } from "../src/vm/web-assembly.ts";

const CEILINGS = { memoryPages: 64, tableElements: 1000 };
type Fn = (...args: number[]) => number;

function rewrite(bytes: Uint8Array<ArrayBuffer>, options = CEILINGS) {
  const info = parseModule(bytes);
  if ("fault" in info) throw new Error(info.fault);
  const steps = instrument(bytes, info, options);
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}

async function instantiate(bytes: Uint8Array<ArrayBuffer>): Promise<Record<string, Fn>> {
  return new engine.Instance(await engine.compile(bytes), {}).exports as Record<string, Fn>;
}

/** The rewritten module with a full tank, and how much a call takes. */
async function fuelled(text: string, options = CEILINGS) {
  const rewritten = rewrite(assemble(text), options);
  const exports = await instantiate(rewritten.bytes);
  const swap = exports[rewritten.fuelExport] as Fn;
  const measure = (name: string, ...args: number[]) => {
    swap(1_000_000);
    (exports[name] as Fn)(...args);
    return 1_000_000 - swap(0);
  };
  return { exports, swap, measure, rewritten };
}

const SUM = `(module (func (export "sum") (param $n i32) (result i32) (local $s i32)
  (block $done (loop $next
    (br_if $done (i32.eqz (local.get $n)))
    (local.set $s (i32.add (local.get $s) (local.get $n)))
    (local.set $n (i32.sub (local.get $n) (i32.const 1)))
    (br $next)))
  (local.get $s)))`;

describe("paying with fuel", () => {
  test("results stay what they were", async () => {
    const plain = await instantiate(assemble(SUM));
    const { exports, swap } = await fuelled(SUM);
    swap(1_000_000);
    for (const n of [0, 1, 10, 1000]) expect((exports.sum as Fn)(n)).toBe((plain.sum as Fn)(n));
  });

  test("each turn of a loop costs the same", async () => {
    const { measure } = await fuelled(SUM);
    const turn = measure("sum", 2) - measure("sum", 1);
    expect(turn).toBeGreaterThan(8);
    expect(measure("sum", 1000) - measure("sum", 0)).toBe(1000 * turn);
  });

  test("a loop without work, a recursion and a tail call all end", async () => {
    const { exports, swap } = await fuelled(`(module
      (func (export "loop") (loop $l (br $l)))
      (func $self (export "tail") (return_call $self))
      (func $down (export "recursion") (param i32) (if (local.get 0) (then (call $down (i32.sub (local.get 0) (i32.const 1)))))))`);
    for (const [name, argument] of [
      ["loop", 0],
      ["tail", 0],
      ["recursion", 500],
    ] as const) {
      swap(1000);
      expect(() => (exports[name] as Fn)(argument), name).toThrow("unreachable");
      expect(swap(0), name).toBeLessThan(0);
    }
  });

  test("filling, copying and growing cost by their length", async () => {
    const { measure } = await fuelled(`(module (memory 4) (table 1 funcref)
      (func (export "fill") (param i32) (memory.fill (i32.const 0) (i32.const 1) (local.get 0)))
      (func (export "copy") (param i32) (local i64) (memory.copy (i32.const 0) (i32.const 8) (local.get 0)))
      (func (export "grow") (param i32) (drop (table.grow (ref.null) (local.get 0)))))`);
    for (const name of ["fill", "copy", "grow"]) {
      expect(measure(name, 64_000) - measure(name, 0), name).toBe(1000);
    }
  });

  test("each growth of the memory has its price, also one by nothing", async () => {
    const { measure } = await fuelled(`(module (memory 1)
      (func (export "grow") (param i32) (drop (memory.grow (local.get 0))))
      (func (export "size") (param i32) (drop (memory.size))))`);
    for (const pages of [0, 1, 100]) expect(measure("grow", pages) - measure("size", 0)).toBeGreaterThan(50_000);
  });

  test("what isn't run isn't paid for at the loop that it stands in", async () => {
    const { measure } = await fuelled(`(module (func (export "f") (param $n i32)
      (block $out (br_if $out (i32.eqz (local.get $n)))
        (loop $outer
          (loop $inner (nop) (nop) (nop) (nop) (nop) (nop) (nop) (nop))
          (local.set $n (i32.sub (local.get $n) (i32.const 1)))
          (br_if $outer (local.get $n))))))`);
    const entry = measure("f", 0);
    expect(measure("f", 1)).toBeGreaterThan(entry + 8);
  });
});

describe("ceilings", () => {
  test("memory and tables grow to the limit and not beyond", async () => {
    const { exports, swap } = await fuelled(
      `(module (memory 1 60000) (table 2 funcref)
        (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
        (func (export "growTable") (param i32) (result i32) (table.grow (ref.null) (local.get 0))))`,
      { memoryPages: 4, tableElements: 10 },
    );
    swap(1_000_000);
    expect((exports.grow as Fn)(3)).toBe(1);
    expect((exports.grow as Fn)(1)).toBe(-1);
    expect((exports.growTable as Fn)(8)).toBe(2);
    expect((exports.growTable as Fn)(1)).toBe(-1);
  });
});

describe("the rest of the module", () => {
  test("the start function waits for the host", async () => {
    const { exports, swap, rewritten } = await fuelled(`(module (global $g (mut i32) (i32.const 1))
      (func $go (global.set $g (i32.const 2))) (start $go)
      (func (export "g") (result i32) (global.get $g)))`);
    swap(1000);
    expect((exports.g as Fn)()).toBe(1);
    (exports[rewritten.startExport ?? ""] as Fn)();
    expect((exports.g as Fn)()).toBe(2);
  });

  test("names that the host adds give way to the module's own", () => {
    const taken = rewrite(assemble('(module (func (export "mixerless:fuel")))'));
    expect(taken.fuelExport).toBe("mixerless:fuel'");
  });

  test("code for other engines is left out, names of functions stay", async () => {
    const text =
      '(module (custom "precompiled_wee8_v1" "xxxx") (custom "name" "") (custom ".debug_info" "yyy") (func))';
    const sections = parseModule(rewrite(assemble(text)).bytes);
    if ("fault" in sections) throw new Error(sections.fault);
    expect(sections.sections.filter(({ id }) => id === 0).map(({ name }) => name)).toEqual(["name"]);
  });

  test("a trap's position is that in the module's file", async () => {
    const text = `(module
      (func (export "a") (param i32) (result i32) (loop $l (br_if $l (i32.eqz (local.get 0)))) (i32.div_s (i32.const 1) (i32.const 0)))
      (func (export "b") (param i32) (result i32) (local i32) (drop (i32.add (local.get 0) (i32.const 1))) (unreachable)))`;
    const bytes = assemble(text);
    const rewritten = rewrite(bytes);
    const plain = await instantiate(bytes);
    const exports = await instantiate(rewritten.bytes);
    const swap = exports[rewritten.fuelExport] as Fn;
    const same = rewrite(assemble("(module)")).positions;
    for (const name of ["a", "b"]) {
      swap(1_000_000);
      const stackOf = (fn: unknown) => {
        try {
          (fn as Fn)(1);
          return "";
        } catch (error) {
          return (error as Error).stack ?? "";
        }
      };
      const wanted = backtraceOf(stackOf(plain[name]), same);
      expect(wanted).toHaveLength(1);
      expect(backtraceOf(stackOf(exports[name]), rewritten.positions)).toEqual(wanted);
    }
  });
});
