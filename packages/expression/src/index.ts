export { type Environment, NO_TYPES, type TypeProvider, type VariableTable, variablesOf } from "./check/environment.ts";
export type { AttributeReader, AttributeSource } from "./compile/attribute-source.ts";
export { type Compiled, type CompileOptions, compileExpression, type Program } from "./compile/program.ts";
export { FunctionTable } from "./library/function-table.ts";
export { standardLibrary } from "./library/standard.ts";
export { describeFaults, type ExpressionFault } from "./syntax/fault.ts";
export { parse } from "./syntax/parser.ts";
export type { Type } from "./types/type.ts";
export { Abnormal, Failure, Unknown } from "./values/abnormal.ts";
export { bytesOf } from "./values/bytes.ts";
export { Duration, durationOfNanos, durationText, Timestamp, timestampOfNanos, timestampText } from "./values/time.ts";
export {
  Double,
  MapValue,
  MessageValue,
  OptionalValue,
  type Result,
  TypeValue,
  Uint,
  type Value,
} from "./values/value.ts";
export { attributeEnvironment, attributeType } from "./vocabulary/vocabulary.ts";
