import type { IncrementalTest } from "@bufbuild/cel-spec/testdata/tests.js";
import type { Registry } from "@bufbuild/protobuf";
import { type Environment, variablesOf } from "../../src/check/environment.ts";
import type { AttributeReader } from "../../src/compile/attribute-source.ts";
import { compileExpression } from "../../src/compile/program.ts";
import { FunctionTable } from "../../src/library/function-table.ts";
import type { Library, Overload } from "../../src/library/overload.ts";
import { describeFaults } from "../../src/syntax/fault.ts";
import { type Type, typeText } from "../../src/types/type.ts";
import { Abnormal } from "../../src/values/abnormal.ts";
import { typeNameOf } from "../../src/values/type-of.ts";
import type { Result, Value } from "../../src/values/value.ts";
import { fromSpec, sameValue, typeFromSpec } from "./expected.ts";
import { ProtoTypes } from "./proto-types.ts";

type SimpleTest = IncrementalTest["original"];

/** Runs one case of the suite. Gives what is wrong, or null. */
export function runCase(test: SimpleTest, library: Library, registry: Registry): string | null {
  const environment = environmentOf(test, library, registry);
  const bindings = bindingsOf(test, registry);
  const compiled = compileExpression(
    test.expr,
    environment,
    { resolve: (path): AttributeReader<null> | null => (path.length === 1 ? () => bindings.get(path[0] ?? "") : null) },
    { checks: test.disableCheck ? "none" : "all" },
  );
  const { resultMatcher: expected } = test;
  if (compiled.faults !== undefined) {
    const failed = expected.case === "evalError" || expected.case === "anyEvalErrors";
    return failed ? null : `does not compile: ${describeFaults(compiled.faults)}`;
  }
  if (expected.case === "typedResult") {
    const wanted = typeText(typeFromSpec(expected.value.deducedType));
    const found = typeText(compiled.program.type);
    if (wanted !== found) return `type ${found}, not ${wanted}`;
  }
  if (test.checkOnly) return null;
  const result = compiled.program.evaluate(null);
  switch (expected.case) {
    case "evalError":
    case "anyEvalErrors":
      return result instanceof Abnormal ? null : `${show(result)}, not an error`;
    case "value":
      return difference(result, fromSpec(expected.value, registry));
    case "typedResult":
      return expected.value.result === undefined ? null : difference(result, fromSpec(expected.value.result, registry));
    case undefined:
      return difference(result, true);
    default:
      return `the suite expects ${expected.case}`;
  }
}

function difference(found: Result, expected: Result): string | null {
  if (found instanceof Abnormal) return `error "${found.reason}"`;
  if (expected instanceof Abnormal) return `cannot read the expectation: ${expected.reason}`;
  return sameValue(found, expected) ? null : `${show(found)}, not ${show(expected)}`;
}

function show(value: Result): string {
  if (value instanceof Abnormal) return value.reason;
  const json = JSON.stringify(value, (_key, one: unknown) => (typeof one === "bigint" ? `${one}n` : one));
  return `${typeNameOf(value)} ${json?.slice(0, 200)}`;
}

function environmentOf(test: SimpleTest, library: Library, registry: Registry): Environment {
  const variables = new Map<string, Type>();
  const functions: Overload[] = [];
  for (const { name, declKind } of test.typeEnv) {
    if (declKind.case === "ident") variables.set(name, typeFromSpec(declKind.value.type));
    if (declKind.case !== "function") continue;
    for (const { params, resultType, isInstanceFunction } of declKind.value.overloads) {
      functions.push({
        name,
        member: isInstanceFunction,
        params: params.map(typeFromSpec),
        result: typeFromSpec(resultType),
        variadic: false,
        apply: () => null,
      });
    }
  }
  // What is bound and not declared has a type that only its value tells.
  for (const name of Object.keys(test.bindings)) if (!variables.has(name)) variables.set(name, { kind: "dyn" });
  return {
    variables: variablesOf(variables),
    functions: new FunctionTable([library, functions]),
    types: new ProtoTypes(registry),
    container: test.container,
  };
}

function bindingsOf(test: SimpleTest, registry: Registry): Map<string, Value> {
  const bindings = new Map<string, Value>();
  for (const [name, { kind }] of Object.entries(test.bindings))
    if (kind.case === "value") bindings.set(name, fromSpec(kind.value, registry) as Value);
  return bindings;
}
