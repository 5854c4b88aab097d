// `x-kubernetes-validations`: CEL over what was written, with the URL functions that an API server adds.
import { CelScalar, celEnv, celFunc, celMethod, isCelError, parse, plan } from "@bufbuild/cel";
import { strings } from "@bufbuild/cel/ext";
import type { Schema } from "./schema.ts";

type Input = string | number | bigint | boolean | null | Input[] | Map<string, Input>;
type Rule = (self: Input) => boolean;

const { STRING, BOOL, DYN } = CelScalar;

function scheme(text: string): string | undefined {
  if (/[\s\p{Cc}]/u.test(text)) return undefined;
  if (text.startsWith("/")) return "";
  return /^([A-Za-z][A-Za-z0-9+.-]*):/.exec(text)?.[1]?.toLowerCase();
}

function createRules(): (text: string) => Rule {
  const env = celEnv({
    variables: { self: DYN },
    funcs: [
      ...strings,
      celFunc("isURL", [STRING], BOOL, (text) => scheme(text) !== undefined),
      celFunc("url", [STRING], STRING, (text) => {
        if (scheme(text) === undefined) throw new Error(`${text} is no URL`);
        return text;
      }),
      celMethod("getScheme", STRING, [], STRING, function () {
        return scheme(String(this)) ?? "";
      }),
    ],
  });
  const compiled = new Map<string, Rule>();
  return (text) => {
    let rule = compiled.get(text);
    if (rule === undefined) {
      const run = plan(env, parse(text));
      rule = (self) => {
        const result = run({ self });
        // A rule that can't be evaluated refuses, too.
        return !isCelError(result) && result === true;
      };
      compiled.set(text, rule);
    }
    return rule;
  };
}

const ruleOf = createRules();

/** Adds the rules that do not hold, of a value whose structure is right. */
export function ruleProblems(schema: Schema, value: unknown, path: string, problems: string[]): void {
  if (value === null || value === undefined) return;
  for (const { rule, message = rule } of schema["x-kubernetes-validations"] ?? []) {
    if (!ruleOf(rule)(celInput(schema, value))) problems.push(`${path}: ${message}`);
  }
  if (Array.isArray(value)) {
    const { items } = schema;
    if (items !== undefined) {
      value.forEach((item, index) => {
        ruleProblems(items, item, `${path}[${index}]`, problems);
      });
    }
  } else if (typeof value === "object") {
    for (const [name, entry] of Object.entries(value)) {
      const inner = propertySchema(schema, name);
      if (inner !== undefined) ruleProblems(inner, entry, `${path}.${name}`, problems);
    }
  }
}

export function propertySchema(schema: Schema, name: string): Schema | undefined {
  const more = schema.additionalProperties;
  return schema.properties?.[name] ?? (typeof more === "object" ? more : undefined);
}

/** Whole numbers are ints where the schema says so, and doubles elsewhere. */
function celInput(schema: Schema | undefined, value: unknown): Input {
  if (Array.isArray(value)) return value.map((item) => celInput(schema?.items, item));
  if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value).map(([name, entry]) => {
      const inner = schema === undefined ? undefined : propertySchema(schema, name);
      return [name, celInput(inner, entry)] as const;
    });
    return new Map(entries);
  }
  if (typeof value === "number") return schema?.type === "number" ? value : BigInt(value);
  return value as string | boolean | null;
}
