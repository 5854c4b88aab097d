import { encodeProperty } from "../encoding/property-value.ts";
import { Status } from "../hostcalls/status.ts";
import { answerBytes, answerStatus, type BuiltInFunction } from "./function.ts";

/** What compiling an expression counts as. */
const COMPILE_WORK = 50;
const EVALUATE_WORK = 2;

export const createExpression: BuiltInFunction = (vm, argument) => {
  const root = vm.active?.root;
  if (root === undefined) return answerStatus(Status.NotFound);
  if (root.expressions.size >= vm.limits.expressions) {
    vm.hit("expressions");
    return answerStatus(Status.InternalFailure);
  }
  vm.work -= COMPILE_WORK;
  const compiled = vm.options.services.expressions.compile(argument.toString("utf8"));
  if (compiled === null) return answerStatus(Status.BadArgument);
  const token = root.nextExpression++;
  root.expressions.set(token, compiled);
  const cell = Buffer.alloc(4);
  cell.writeUInt32LE(token);
  return answerBytes(cell);
};

export const evaluateExpression: BuiltInFunction = (vm, argument) => {
  if (argument.length !== 4) return answerStatus(Status.BadArgument);
  const expression = vm.active?.root.expressions.get(argument.readUInt32LE(0));
  if (expression === undefined) return answerStatus(Status.NotFound);
  vm.work -= EVALUATE_WORK;
  try {
    const value = expression.evaluate(vm.active?.stream?.attributes ?? vm.active?.root.plugin.attributes ?? null);
    const encoded = encodeProperty(value);
    if (encoded === null) return answerStatus(Status.SerializationFailure);
    return typeof encoded === "string" ? { status: Status.Ok, result: encoded } : answerBytes(encoded);
  } catch {
    return answerStatus(Status.InternalFailure);
  }
};

export const deleteExpression: BuiltInFunction = (vm, argument) => {
  if (argument.length !== 4) return answerStatus(Status.BadArgument);
  vm.active?.root.expressions.delete(argument.readUInt32LE(0));
  return answerStatus(Status.Ok);
};
