import { type DescMessage, type DescOneof, isFieldSet, type Message, type MessageShape } from "@bufbuild/protobuf";
import type { Any } from "@bufbuild/protobuf/wkt";
import { unpackTypedConfig } from "../any/typed-struct.ts";
import { type Fault, FaultList } from "../fault.ts";
import { FieldPath } from "../field-path.ts";
import { fieldValueOrZero } from "../local-value.ts";
import { typeNameOfUrl, typeRegistry } from "../type-registry.ts";
import type { Check } from "./check.ts";
import { type FieldPlan, messagePlan } from "./message-plan.ts";

/** How far and how much. */
export interface ValidateOptions {
  /** Also check what lies in `Any` fields, if their type is known. Default true. */
  readonly throughAny?: boolean;
  /** Where the message stands in a greater whole; fault paths begin there. */
  readonly at?: FieldPath;
  /** Faults after which to stop. Default 20. */
  readonly faults?: number;
}

const mostNestedAnys = 16;

/**
 * Checks a message and everything in it against the rules in its definition (`validate.rules`): required fields and
 * oneofs, ranges, lengths, formats, enum values. Envoy refuses what breaks them. Empty means valid. Never throws.
 */
export function validateMessage<Schema extends DescMessage>(
  schema: Schema,
  message: MessageShape<Schema>,
  options: ValidateOptions = {},
): readonly Fault[] {
  const validation = new Validation(options.faults ?? 20, (options.throughAny ?? true) ? mostNestedAnys : 0);
  validation.message(schema, message, options.at ?? FieldPath.root, 0);
  return validation.faults;
}

class Validation {
  readonly #faults: FaultList;
  readonly #nestedAnys: number;

  constructor(faults: number, nestedAnys: number) {
    this.#faults = new FaultList(faults);
    this.#nestedAnys = nestedAnys;
  }

  get faults(): readonly Fault[] {
    return this.#faults.faults;
  }

  message(schema: DescMessage, message: Message, path: FieldPath, anys: number): void {
    if (schema.typeName === "google.protobuf.Any") {
      this.#any(message as Any, path, anys);
      return;
    }
    const plan = messagePlan(schema);
    for (const oneof of plan.requiredOneofs) this.#oneof(oneof, message, path);
    for (const field of plan.fields) {
      if (this.#faults.full) return;
      this.#field(field, message, path, anys);
    }
  }

  #oneof(oneof: DescOneof, message: Message, path: FieldPath): void {
    if (oneof.fields.some((field) => isFieldSet(message, field))) return;
    const names = oneof.fields.map((field) => field.jsonName).join(", ");
    this.#faults.add("WIRE_RULE_BROKEN", path, `one of ${names} must be set`);
  }

  #field(plan: FieldPlan, message: Message, parent: FieldPath, anys: number): void {
    const { field } = plan;
    const path = parent.field(field.jsonName);
    const value = fieldValueOrZero(message, field);
    if (value === undefined) {
      if (plan.required) this.#faults.add("WIRE_RULE_BROKEN", path, "must be set");
      return;
    }
    this.#check(plan.checks, value, path);
    if (field.fieldKind === "list") {
      const items = value as readonly unknown[];
      for (let index = 0; index < items.length; index++) this.#element(plan, items[index], path.index(index), anys);
    } else if (field.fieldKind === "map") {
      for (const [key, entry] of Object.entries(value as Readonly<Record<string, unknown>>)) {
        this.#check(plan.keyChecks, key, path.entry(key));
        this.#element(plan, entry, path.entry(key), anys);
      }
    } else if (plan.inside !== undefined) {
      this.message(plan.inside, value as Message, path, anys);
    }
  }

  #element(plan: FieldPlan, value: unknown, path: FieldPath, anys: number): void {
    this.#check(plan.elementChecks, value, path);
    if (plan.inside !== undefined && !this.#faults.full) this.message(plan.inside, value as Message, path, anys);
  }

  #check(checks: readonly Check[], value: unknown, path: FieldPath): void {
    for (const check of checks) {
      const broken = check(value);
      if (broken !== undefined) this.#faults.add("WIRE_RULE_BROKEN", path, broken);
    }
  }

  // A type that is not known here may be known to the reader; only what is known and broken is a fault.
  #any(any: Any, path: FieldPath, anys: number): void {
    if (anys >= this.#nestedAnys || !isKnownType(any)) return;
    const unpacked = unpackTypedConfig(any, path);
    if (unpacked.faults === undefined) this.message(unpacked.schema, unpacked.message, path, anys + 1);
    else for (const fault of unpacked.faults) this.#faults.push(fault);
  }
}

function isKnownType(any: Any): boolean {
  return typeRegistry.getMessage(typeNameOfUrl(any.typeUrl)) !== undefined;
}
