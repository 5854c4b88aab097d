import type { Message } from "@bufbuild/protobuf";
import type { Any } from "@bufbuild/protobuf/wkt";
import { unpackAnyAs, validateMessage } from "@mixerless/wire";
import type { ConfigFault } from "../network/config-fault.ts";
import { refuseUnsupported } from "./refuse-unsupported.ts";
import { type ResourceKind, SCHEMAS } from "./resource-kinds.ts";

/** A resource's bytes as a message that keeps the rules of its definition, or everything that is wrong with it. */
export function checkResource(
  kind: ResourceKind,
  any: Any,
): { message: Message; faults: [] } | { message: null; faults: readonly ConfigFault[] } {
  const schema = SCHEMAS[kind];
  const unpacked = unpackAnyAs(any, schema);
  if (unpacked.message === undefined) return { message: null, faults: unpacked.faults };
  const faults = [...validateMessage(schema, unpacked.message), ...refuseUnsupported(schema, unpacked.message)];
  return faults.length === 0 ? { message: unpacked.message, faults: [] } : { message: null, faults };
}
