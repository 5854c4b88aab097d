import { deflateSync, inflateSync } from "node:zlib";
import { Status } from "../hostcalls/status.ts";
import { answerBytes, answerStatus, type BuiltInFunction } from "./function.ts";

/** Bytes per unit of a callback's work: compressing is slow. */
const SHIFT = 6;

export const compress: BuiltInFunction = (vm, argument) => {
  vm.work -= argument.length >>> SHIFT;
  return answerBytes(deflateSync(argument, { level: 9 }));
};

/** What a small input may become is bounded, as bodies are. */
export const uncompress: BuiltInFunction = (vm, argument) => {
  try {
    const bytes = inflateSync(argument, { maxOutputLength: Math.max(vm.limits.bodyBytes, 1) });
    vm.work -= bytes.length >>> SHIFT;
    return answerBytes(bytes);
  } catch {
    return answerStatus(Status.SerializationFailure);
  }
};
