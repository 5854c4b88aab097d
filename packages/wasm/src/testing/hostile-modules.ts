import type { LimitName } from "../limits/limits.ts";
import type { FailureKind } from "../vm/failure.ts";
import { assemble } from "./assemble.ts";
import { hostileCalls } from "./hostile-calls.ts";
import { HOSTILE_CODE } from "./hostile-code.ts";
import { request } from "./hostile-text.ts";
import { moduleText } from "./modules.ts";

/** When a hostile module strikes, in the life of its plugin and of a stream. */
export type HostileMoment =
  /** Before there is a stream: the version can't be started. */
  | "start"
  /** By itself, soon after its start. */
  | "timer"
  /** When the answer to its own call has come, which holds the request up. */
  | "answer"
  /** Before the response goes on. */
  | "response"
  /** When the head of the response has gone. */
  | "body"
  /** When the stream has had its answer. */
  | "end";

export interface HostileModule {
  readonly name: string;
  readonly body: string;
  readonly frame?: Parameters<typeof moduleText>[1];
  /** Left out: before the request goes on. */
  readonly when?: HostileMoment;
  /** Why the VM fails; null: it goes on, and the limit says no by itself. */
  readonly fails: FailureKind | null;
  readonly limit?: LimitName;
}

/** Modules that harm whoever lets them: `times` is how often the floods that don't fail their VM do what they do. */
export function hostileModules(times: number): readonly HostileModule[] {
  return [...HOSTILE_CODE, ...hostileCalls(times)];
}

/** A module that does its work: it stands for the plugins and streams of others. */
export const HARMLESS_MODULE = request(
  "(drop (call $proxy_add_header_map_value (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 0) (i32.const 1)))",
  '(data (i32.const 0) "x")',
);

/** Modules that are none, or not for this host, by what is wrong with them. */
export const UNLOADABLE_MODULES: readonly (readonly [name: string, bytes: Uint8Array<ArrayBuffer>])[] = [
  ["truncated", assemble(moduleText("")).slice(0, 40)],
  ["garbage", new Uint8Array(Buffer.alloc(1000, "garbage "))],
  ["unknown imports", assemble(moduleText('(import "env" "fork" (func (result i32)))'))],
  ["a wrong signature", assemble(moduleText('(func (export "proxy_on_tick") (result i32) (i32.const 1))'))],
  ["a function that isn't valid", assemble(moduleText("(func (drop (i32.add (i32.const 1) (i64.const 1))))"))],
];
