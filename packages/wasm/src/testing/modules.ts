/**
 * The frame of a test module: memory of one page, a bump allocator, the marker of an ABI version. `body` holds the
 * rest; static texts may lie below 4096. Written as `(module …)` for {@link assemble}.
 */
export function moduleText(body: string, options: { abi?: string; pages?: string; allocator?: string } = {}): string {
  const { abi = "0_2_1", pages = "1", allocator = BUMP } = options;
  const marker = abi.length === 0 ? "" : `(func (export "proxy_abi_version_${abi}"))`;
  return `(module ${uses(body)}
    (memory (export "memory") ${pages})
    (global $heap (mut i32) (i32.const 4096))
    ${allocator}
    ${marker}
    ${body.replace(/\(use [^)]*\)/g, "")})`;
}

const BUMP = `(func $malloc (export "malloc") (param $size i32) (result i32)
  (local $at i32)
  (local.set $at (global.get $heap))
  (global.set $heap (i32.add (global.get $heap) (i32.and (i32.add (local.get $size) (i32.const 7)) (i32.const -8))))
  (block $ready
    (loop $grow
      (br_if $ready (i32.le_u (global.get $heap) (i32.mul (memory.size) (i32.const 65536))))
      (br_if $grow (i32.ne (memory.grow (i32.const 1)) (i32.const -1)))
      (return (i32.const 0))))
  (local.get $at))`;

/** Host functions that are called as `$name` need to be imported. */
function uses(body: string): string {
  const explicit = body.match(/\(use [^)]*\)/g) ?? [];
  const named = explicit.flatMap((text) => text.slice(5, -1).split(/\s+/));
  const called = [
    ...body.matchAll(
      /call \$((?:proxy|envoy)_\w+|fd_\w+|environ_\w+|args_\w+|clock_\w+|random_get|proc_exit|poll_oneoff|sched_yield)/g,
    ),
  ];
  const names = new Set([...named, ...called.map(([, name = ""]) => name)].filter((name) => name.length > 0));
  return names.size === 0 ? "" : `(use ${[...names].join(" ")})`;
}
