import { type DescField, type DescMessage, type DescOneof, getOption, hasOption, ScalarType } from "@bufbuild/protobuf";
import { hasCustomJsonRepresentation } from "@bufbuild/protobuf/wkt";
import { disabled, type FieldRules, required as oneofRequired } from "#generated/validate/validate_pb.js";
import { type ElementType, isStoredAsJson, unwrappedType } from "../local-value.ts";
import type { Check } from "./check.ts";
import { containerChecks } from "./container-rules.ts";
import { elementChecks, isRequired, rulesOf } from "./element-rules.ts";

/** What to check in messages of one type. */
export interface MessagePlan {
  readonly fields: readonly FieldPlan[];
  readonly requiredOneofs: readonly DescOneof[];
}

/** What to check in one field. */
export interface FieldPlan {
  readonly field: DescField;
  readonly required: boolean;
  /** Of the field as a whole: a single value, a list or a map. */
  readonly checks: readonly Check[];
  /** Of each element of a list or each value of a map. */
  readonly elementChecks: readonly Check[];
  readonly keyChecks: readonly Check[];
  /** The type of the messages inside, if they are to be checked too. */
  readonly inside: DescMessage | undefined;
}

// A cache of constants: compiling the rules of a type once.
const plans = new WeakMap<DescMessage, MessagePlan>();

/** The compiled rules of a message type. */
export function messagePlan(schema: DescMessage): MessagePlan {
  let plan = plans.get(schema);
  if (plan === undefined) {
    plan = compilePlan(schema);
    plans.set(schema, plan);
  }
  return plan;
}

function compilePlan(schema: DescMessage): MessagePlan {
  if (hasOption(schema, disabled) && getOption(schema, disabled)) return { fields: [], requiredOneofs: [] };
  return {
    fields: schema.fields.map(compileField).filter(isWorthwhile),
    requiredOneofs: schema.oneofs.filter((oneof) => hasOption(oneof, oneofRequired) && getOption(oneof, oneofRequired)),
  };
}

function compileField(field: DescField): FieldPlan {
  const rules = rulesOf(field);
  const elements = elementRules(field, rules);
  const skipped = elements?.message?.skip === true;
  return {
    field,
    // Of a member of a oneof it asks nothing: the oneof has its own rule, and a chosen member is set.
    required: field.oneof === undefined && isRequired(rules),
    checks: isContainer(field) ? containerChecks(rules) : elementChecks(field, rules),
    elementChecks: isContainer(field) ? elementChecks(field, elements) : [],
    keyChecks: rules?.type.case === "map" ? elementChecks(keyType, rules.type.value.keys) : [],
    inside: skipped ? undefined : innerMessage(field),
  };
}

function elementRules(field: DescField, rules: FieldRules | undefined): FieldRules | undefined {
  if (!isContainer(field)) return rules;
  if (rules?.type.case === "repeated") return rules.type.value.items;
  return rules?.type.case === "map" ? rules.type.value.values : undefined;
}

function isContainer(field: DescField): boolean {
  return field.fieldKind === "list" || field.fieldKind === "map";
}

// Rules of keys name their type themselves.
const keyType: ElementType = { scalar: ScalarType.STRING, enum: undefined, message: undefined };

// Values of well-known types hold nothing to check; an Any does.
function innerMessage(field: DescField): DescMessage | undefined {
  const { message } = field;
  if (message === undefined || isStoredAsJson(field) || unwrappedType(field) !== undefined) return undefined;
  const isValue = hasCustomJsonRepresentation(message) && message.typeName !== "google.protobuf.Any";
  return isValue ? undefined : message;
}

function isWorthwhile(plan: FieldPlan): boolean {
  const checks = plan.checks.length + plan.elementChecks.length + plan.keyChecks.length;
  return plan.required || checks > 0 || plan.inside !== undefined;
}
