import { Status } from "../hostcalls/status.ts";
import type { ForeignResult } from "../vm/services.ts";
import type { WasmVm } from "../vm/vm.ts";

/** A function of the host itself. The argument is only valid during the call. */
export type BuiltInFunction = (vm: WasmVm, argument: Buffer) => ForeignResult;

export function answerStatus(status: number): ForeignResult {
  return { status, result: "" };
}

export function answerBytes(bytes: Uint8Array): ForeignResult {
  return { status: Status.Ok, result: Buffer.from(bytes).toString("latin1") };
}
