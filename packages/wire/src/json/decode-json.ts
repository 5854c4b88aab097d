import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import type { Decoded } from "../fault.ts";
import { FieldPath } from "../field-path.ts";
import { DecodeState, failed, type JsonLimits } from "./decode-state.ts";
import { MessageReader } from "./message-reader.ts";

const defaultLimits: JsonLimits = { depth: 100, values: 1_000_000, faults: 20 };

/** How strictly and where from. */
export interface DecodeJsonOptions {
  /** "warning" tolerates unknown fields and lists them beside the message. Default "fault". */
  readonly unknownFields?: "fault" | "warning";
  /** Where the JSON stands in a greater whole; fault paths begin there. */
  readonly at?: FieldPath;
  /** Defaults: 100 levels, a million values, 20 faults. */
  readonly limits?: Partial<JsonLimits>;
}

/**
 * Canonical JSON (as parsed, also from YAML) to a message. Field names in lowerCamelCase or as declared, enums by
 * name or number, `Any` by its `@type`, duplicates and unknown fields refused. Never throws; each fault says where.
 */
export function decodeJson<Schema extends DescMessage>(
  schema: Schema,
  json: unknown,
  options: DecodeJsonOptions = {},
): Decoded<MessageShape<Schema>> {
  const state = new DecodeState({ ...defaultLimits, ...options.limits }, options.unknownFields ?? "fault");
  const message = new MessageReader(state).read(schema, json, options.at ?? FieldPath.root);
  if (message === failed || state.faults.faults.length > 0) return { faults: state.faults.faults };
  return { message: message as MessageShape<Schema>, warnings: state.warnings.faults };
}
