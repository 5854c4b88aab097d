import { beforeEach, describe, expect, test } from "vitest";
import type { Context } from "../src/contexts/context.ts";
import { type Guest, World } from "./guest.ts";

let world: World;
let guest: Guest;
let context: Context;

beforeEach(async () => {
  world = new World();
  guest = await world.guest(
    {
      environment: new Map([
        ["NAME", "välue"],
        ["EMPTY", ""],
      ]),
    },
    "",
    { pages: "2" },
  );
  context = guest.root;
});

const inside = <T>(script: () => T) => guest.inside(context, script);
const call = (name: string, ...args: (number | bigint)[]) => inside(() => guest.call(name, ...args));
const said = () => world.services.entries.map(({ level, text }) => `${level} ${text.replace("wasm log: ", "")}`);

/** Writes pieces with one call. */
function write(fd: number, ...pieces: string[]): number {
  return inside(() => {
    for (const [i, piece] of pieces.entries()) {
      const [pointer, length] = guest.place(piece);
      guest.vm.memory.writeU32(64 + i * 8, pointer);
      guest.vm.memory.writeU32(68 + i * 8, length);
    }
    return guest.call("fd_write", fd, 64, pieces.length, 8);
  });
}

describe("output", () => {
  test("stdout is info, stderr error; pieces of one call are one message; one line feed is left out", () => {
    expect(write(1, "one ", "message\n")).toBe(0);
    expect(guest.u32(8)).toBe(12);
    expect(write(2, "two\n\n")).toBe(0);
    expect(said()).toEqual(["2 one message", "4 two\n"]);
  });

  test("nothing written, nothing logged; other descriptors are refused", () => {
    expect([write(1), write(1, ""), write(0, "x"), write(3, "x")]).toEqual([0, 0, 8, 8]);
    expect(said()).toEqual([]);
  });

  test("pieces without a line feed wait for it, or for the end of the callback", () => {
    inside(() => {
      for (const piece of ["panic: ", "index out of range", " [5]\n", "goroutine 1"]) {
        const [pointer, length] = guest.place(piece);
        guest.vm.memory.writeU32(64, pointer);
        guest.vm.memory.writeU32(68, length);
        guest.call("fd_write", 2, 64, 1, 8);
      }
    });
    expect(said()).toEqual(["4 panic: index out of range [5]", "4 goroutine 1"]);
  });
});

describe("descriptors and paths", () => {
  test("what each function answers", () => {
    const wanted: readonly (readonly [number, string, ...(number | bigint)[]])[] = [
      [52, "fd_read", 0, 0, 0, 0],
      [52, "fd_pread", 0, 0, 0, 0n, 0],
      [0, "fd_seek", 1, 0n, 0, 0],
      [0, "fd_close", 7],
      [0, "fd_tell", 2, 16],
      [8, "fd_tell", 3, 16],
      [0, "fd_fdstat_get", 1, 16],
      [8, "fd_fdstat_get", 0, 16],
      [52, "fd_fdstat_set_flags", 1, 0],
      [0, "fd_fdstat_set_rights", 1, 0n, 0n],
      [8, "fd_fdstat_set_rights", 9, 0n, 0n],
      [8, "fd_filestat_get", 1, 16],
      [0, "fd_filestat_set_size", 2, 0n],
      [8, "fd_sync", 3],
      [0, "fd_advise", 9, 0n, 0n, 0],
      [8, "fd_prestat_get", 3, 16],
      [52, "fd_prestat_dir_name", 3, 16, 1],
      [20, "fd_readdir", 3, 16, 1, 0n, 24],
      [8, "fd_renumber", 1, 3],
      [58, "fd_renumber", 1, 2],
      [44, "path_open", 3, 0, 16, 1, 0, 0n, 0n, 0, 24],
      [58, "path_filestat_get", 3, 0, 16, 1, 24],
      [58, "path_readlink", 3, 16, 1, 24, 1, 32],
      [58, "path_unlink_file", 3, 16, 1],
      [58, "sock_accept", 3, 0, 16],
      [58, "sock_shutdown", 3, 0],
      [0, "args_sizes_get", 16, 20],
      [0, "args_get", 16, 20],
      [0, "sched_yield"],
      [0, "poll_oneoff", 16, 24, 1, 32],
    ];
    for (const [errno, name, ...args] of wanted) expect(call(name, ...args), name).toBe(errno);
    expect(guest.vm.failure).toBeNull();
  });

  test("the right to write is the only one", () => {
    call("fd_fdstat_get", 1, 16);
    expect([guest.u64(16), guest.u64(24), guest.u64(32)]).toEqual([0n, 64n, 0n]);
  });
});

describe("environment, clocks, randomness", () => {
  test("what is configured is visible, and nothing else", () => {
    call("environ_sizes_get", 16, 20);
    expect([guest.u32(16), guest.u32(20)]).toEqual([2, "NAME=välue\0EMPTY=\0".length + 1]);
    call("environ_get", 16, 100);
    const at = (cell: number) => guest.vm.memory.string(guest.u32(cell), 12)?.split("\0")[0];
    expect([at(16), at(20)]).toEqual(["NAME=v\xc3\xa4lue", "EMPTY="]);
  });

  test("a clock never reads 0, which Go's runtime takes for broken", () => {
    expect(world.services.clock.monotonic()).toBe(0);
    call("clock_time_get", 1, 1n, 16);
    expect(guest.u64(16)).toBeGreaterThan(0n);
  });

  test("both clocks, their resolution, no other", () => {
    world.services.clock.advance(1500);
    call("clock_time_get", 0, 1n, 16);
    expect(guest.u64(16)).toBe(BigInt(world.services.clock.now()) * 1_000_000n);
    call("clock_time_get", 1, 1n, 16);
    expect(guest.u64(16)).toBe(1_500_000_000n);
    expect(call("clock_res_get", 1, 16)).toBe(0);
    expect(guest.u64(16)).toBe(1n);
    expect([call("clock_time_get", 2, 1n, 16), call("clock_res_get", 3, 16)]).toEqual([58, 58]);
  });

  test("0, 32 and 65,536 random bytes, not more; two results differ", () => {
    expect([call("random_get", 16, 0), call("random_get", 16, 32), call("random_get", 16, 65_536)]).toEqual([0, 0, 0]);
    expect(call("random_get", 16, 66_560)).toBe(28);
    const take = () => {
      call("random_get", 16, 32);
      return guest.vm.memory.string(16, 32);
    };
    expect(take()).not.toBe(take());
  });

  test("an exit is a failure that says so", () => {
    inside(() => guest.call("proc_exit", 7));
    expect(guest.vm.failure).toMatchObject({ kind: "exit", message: "the module called proc_exit(7)" });
  });
});
