import { bytesField, numberField, parseFields } from "../encoding/protobuf.ts";
import { Status } from "../hostcalls/status.ts";
import type { StateSpan } from "../vm/stream-host.ts";
import { answerStatus, type BuiltInFunction } from "./function.ts";

const SPANS: readonly StateSpan[] = ["filterChain", "request", "connection"];
const LAST_TYPE = 3;
/** Declarations of one plugin; SDKs make a handful at start. */
const DECLARATIONS = 1000;

export const clearRouteCache: BuiltInFunction = (vm) => {
  vm.active?.clearRouteCache();
  return answerStatus(Status.Ok);
};

/** { 1 path, 2 value, 3 span }: a filter state of this name, under its own name and not behind `wasm.`. */
export const setFilterState: BuiltInFunction = (vm, argument) => {
  const fields = parseFields(argument);
  if (fields === null) return answerStatus(Status.BadArgument);
  const stream = vm.active?.stream ?? null;
  const path = bytesField(fields, 1).toString("latin1");
  const span = SPANS[numberField(fields, 3)];
  if (span === undefined) return answerStatus(Status.BadArgument);
  if (stream === null || path.length === 0) return answerStatus(Status.NotFound);
  stream.setState(path, bytesField(fields, 2).toString("latin1"), span);
  return answerStatus(Status.Ok);
};

/** { 1 name, 2 readonly, 3 type, 4 schema, 5 span }. Values are kept as bytes, whatever their type. */
export const declareProperty: BuiltInFunction = (vm, argument) => {
  const fields = parseFields(argument);
  const root = vm.active?.root;
  if (fields === null || root === undefined) return answerStatus(Status.BadArgument);
  const name = bytesField(fields, 1).toString("latin1");
  const span = SPANS[numberField(fields, 5)];
  const known = root.declared.has(name) || root.declared.size >= DECLARATIONS;
  if (span === undefined || numberField(fields, 3) > LAST_TYPE || known) return answerStatus(Status.BadArgument);
  root.declared.set(name, { readOnly: numberField(fields, 2) !== 0, span });
  return answerStatus(Status.Ok);
};
