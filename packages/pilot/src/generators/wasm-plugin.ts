import type { JsonObject } from "@bufbuild/protobuf";
import { type Any, StringValueSchema } from "@bufbuild/protobuf/wkt";
import { WasmSchema } from "@mixerless/wire/envoy/extensions/filters/http/wasm/v3/wasm";
import { FailurePolicy } from "@mixerless/wire/envoy/extensions/wasm/v3/wasm";
import { typed } from "./proto.ts";

/** One of Istio's own extensions as a Wasm plugin. */
export interface OwnPlugin {
  readonly name: string;
  readonly vmId: string;
  /** The file of its module, where Istio's proxy images have it. */
  readonly module: string;
  readonly configuration: JsonObject;
}

/** The configuration of a Wasm filter. Traffic goes on without telemetry that has failed. */
export function wasmPlugin({ name, vmId, module, configuration }: OwnPlugin): Any {
  const config = {
    name,
    vm: {
      case: "vmConfig" as const,
      value: {
        vmId,
        runtime: "envoy.wasm.runtime.v8",
        code: {
          specifier: {
            case: "local" as const,
            value: { specifier: { case: "filename" as const, value: module } },
          },
        },
      },
    },
    configuration: typed(StringValueSchema, { value: JSON.stringify(configuration) }),
    failurePolicy: FailurePolicy.FAIL_OPEN,
  };
  return typed(WasmSchema, { config });
}
