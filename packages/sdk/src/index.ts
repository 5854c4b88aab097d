/// <reference path="../globals.d.ts" preserve="true" />

export * from "./native/constants.ts";
export { RootContext, StreamContext } from "./native/context.ts";
export {
  CounterHandle,
  ExpressionHandle,
  GaugeHandle,
  HistogramHandle,
  RootHandle,
  StreamHandle,
} from "./native/handles.ts";
export { HeaderName, HeaderValue, Property, StateName } from "./native/names.ts";
export { toBytes, toInt, toText } from "./native/numbers.ts";
export { TupleTable } from "./native/tuple-table.ts";
export { parseAttributePath, parseTextLiteral } from "./portable/attribute-path.ts";
export { decodeBase64, encodeBase64 } from "./portable/base64.ts";
export {
  JSON_ARRAY,
  JSON_BOOLEAN,
  JSON_NULL,
  JSON_NUMBER,
  JSON_OBJECT,
  JSON_STRING,
  JsonReader,
  JsonValue,
} from "./portable/json.ts";
export { BYTES, FIXED32, FIXED64, ProtobufReader, ProtobufWriter, VARINT } from "./portable/protobuf.ts";
export { decodeStruct, StructWriter } from "./portable/struct.ts";
export { encodeCodePoint, isUtf8 } from "./portable/utf8.ts";
