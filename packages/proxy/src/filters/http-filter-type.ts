import type { DescMessage, Message, MessageShape } from "@bufbuild/protobuf";
import type { Any } from "@bufbuild/protobuf/wkt";
import { unpackTypedStruct } from "@mixerless/wire";
import type { HttpFilterFactory } from "../http/http-filter.ts";
import { addFaults, type ConfigFault } from "../network/config-fault.ts";
import type { FilterChainContext } from "../network/context.ts";

/** What compiling one HTTP filter may use. */
export interface HttpFilterContext {
  readonly chain: FilterChainContext;
  /** Of the connection manager. */
  readonly statPrefix: string;
  /** The filter's name in the connection manager, by which routes refer to it. */
  readonly filterName: string;
}

/** A kind of HTTP filter, known by the type of its configuration message. */
export interface HttpFilterType {
  readonly typeName: string;
  /** Null after adding faults; their paths begin with `path`. */
  compile(config: Any, context: HttpFilterContext, path: string, faults: ConfigFault[]): HttpFilterFactory | null;
}

/** Makes a filter type of a message schema and what compiles such a message. */
export function httpFilterType<Schema extends DescMessage>(
  schema: Schema,
  compile: (
    message: MessageShape<Schema> & Message,
    context: HttpFilterContext,
    path: string,
    faults: ConfigFault[],
  ) => HttpFilterFactory,
): HttpFilterType {
  return {
    typeName: schema.typeName,
    compile(config, context, path, faults) {
      const decoded = unpackTypedStruct(config, schema);
      if (decoded.faults === undefined) return compile(decoded.message, context, path, faults);
      addFaults(faults, path, decoded.faults);
      return null;
    },
  };
}
