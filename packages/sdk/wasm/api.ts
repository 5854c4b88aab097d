import { log } from "./host";

export * from "../src/native/constants";
export * from "../src/portable/attribute-path";
export * from "../src/portable/base64";
export * from "../src/portable/json";
export * from "../src/portable/protobuf";
export * from "../src/portable/struct";
export * from "../src/portable/utf8";
export { RootContext, StreamContext } from "./context";
export {
  CounterHandle,
  ExpressionHandle,
  GaugeHandle,
  HistogramHandle,
  RootHandle,
  StreamHandle,
} from "./host";
export { HeaderName, HeaderValue, Property, StateName } from "./names";
export { toBytes, toInt, toText } from "./numbers";
export { registerRoot } from "./registry";
export { TupleTable } from "./tuple-table";

/** What the compiler calls where a program cannot go on: says where, then traps. */
export function sdkAbort(message: string | null, file: string | null, line: u32, column: u32): void {
  const what = message === null ? "abort" : message;
  const where = file === null ? "" : file;
  log(5, `${what} at ${where}:${line.toString()}:${column.toString()}`);
  unreachable();
}
