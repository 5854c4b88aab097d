import { type DescEnum, type DescField, getOption, hasOption, type Message } from "@bufbuild/protobuf";
import type { Any } from "@bufbuild/protobuf/wkt";
import {
  AnyRulesSchema,
  BoolRulesSchema,
  BytesRulesSchema,
  DurationRulesSchema,
  EnumRulesSchema,
  type FieldRules,
  FieldRulesSchema,
  rules as fieldRules,
  StringRulesSchema,
  TimestampRulesSchema,
} from "#generated/validate/validate_pb.js";
import type { ElementType } from "../local-value.ts";
import { bytesChecks } from "./bytes-rules.ts";
import { always, type Check, compileRules, must, ruleSet } from "./check.ts";
import { numberChecks } from "./number-rules.ts";
import { stringChecks } from "./string-rules.ts";
import { durationChecks, timestampChecks } from "./time-rules.ts";

/** The rules of a field, if it has any. */
export function rulesOf(field: DescField): FieldRules | undefined {
  return hasOption(field, fieldRules) ? getOption(field, fieldRules) : undefined;
}

/** True if the rules demand that a message field is set. */
export function isRequired(rules: FieldRules | undefined): boolean {
  if (rules?.message?.required === true) return true;
  const { type } = rules ?? {};
  switch (type?.case) {
    case "any":
    case "duration":
    case "timestamp":
      return type.value.required;
    default:
      return false;
  }
}

/** Checks for one value: a singular field's, a list's element or a map's key or value. */
export function elementChecks(type: ElementType, rules: FieldRules | undefined): Check[] {
  if (rules === undefined) return [];
  const rule = rules.type;
  switch (rule.case) {
    case undefined:
    case "repeated":
    case "map":
      return [];
    case "bool":
      return compileRules(ruleSet(BoolRulesSchema, rule.value), {
        const: (operand: boolean) => must((value: boolean) => value === operand, `must be ${operand}`),
      });
    case "string":
      return stringChecks(ruleSet(StringRulesSchema, rule.value));
    case "bytes":
      return bytesChecks(ruleSet(BytesRulesSchema, rule.value));
    case "enum":
      return enumChecks(type.enum, rule.value);
    case "any":
      return anyChecks(rule.value);
    case "duration":
      return durationChecks(ruleSet(DurationRulesSchema, rule.value));
    case "timestamp":
      return timestampChecks(ruleSet(TimestampRulesSchema, rule.value));
    default:
      return numberChecks(ruleSet(numberRulesSchema(rule.case), rule.value));
  }
}

function numberRulesSchema(name: string) {
  const schema = FieldRulesSchema.fields.find((field) => field.localName === name)?.message;
  if (schema === undefined) throw new Error(`the validation rules ${name} have no interpreter`);
  return schema;
}

function enumChecks(schema: DescEnum | undefined, rules: Message): Check[] {
  const show = (number: number) => schema?.value[number]?.name ?? String(number);
  return compileRules(ruleSet(EnumRulesSchema, rules), {
    const: (operand: number) => must((value: number) => value === operand, `must be ${show(operand)}`),
    definedOnly: (on: boolean) =>
      on
        ? must((value: number) => schema?.value[value] !== undefined, `must be a value of ${schema?.typeName}`)
        : always(),
    in: (operand: readonly number[]) =>
      must((value: number) => operand.includes(value), `must be one of ${operand.map(show).join(", ")}`),
    notIn: (operand: readonly number[]) =>
      must((value: number) => !operand.includes(value), `must not be ${operand.map(show).join(" or ")}`),
  });
}

function anyChecks(rules: Message): Check[] {
  return compileRules(ruleSet(AnyRulesSchema, rules), {
    required: always,
    in: (operand: readonly string[]) =>
      must((any: Any) => operand.includes(any.typeUrl), `must hold one of ${operand.join(", ")}`),
    notIn: (operand: readonly string[]) =>
      must((any: Any) => !operand.includes(any.typeUrl), `must not hold ${operand.join(" or ")}`),
  });
}
