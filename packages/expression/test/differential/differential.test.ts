import { celEnv, isCelList, isCelMap, isCelUint, parse as parseReference, plan } from "@bufbuild/cel";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { NO_TYPES, variablesOf } from "../../src/check/environment.ts";
import { compileExpression } from "../../src/compile/program.ts";
import { FunctionTable } from "../../src/library/function-table.ts";
import { standardLibrary } from "../../src/library/standard.ts";
import { Abnormal } from "../../src/values/abnormal.ts";
import { Duration, Timestamp } from "../../src/values/time.ts";
import { Double, LiteralMap, MapValue, type Result, TypeValue, Uint, type Value } from "../../src/values/value.ts";
import { anyExpression } from "./random-expression.ts";

/** More by night: CEL_FUZZ_RUNS=200000. */
const RUNS = Number(process.env.CEL_FUZZ_RUNS ?? 3000);

const map = new LiteralMap();
map.add("a", 1);
map.add(2, "two");
const OURS: Readonly<Record<string, Value>> = { text: "/api/v1", number: 200, list: [1, "x", new Double(2.5)], map };

const environment = {
  variables: variablesOf(new Map(Object.keys(OURS).map((name) => [name, { kind: "dyn" }]))),
  functions: new FunctionTable([standardLibrary()]),
  types: NO_TYPES,
  container: "",
};

function ours(source: string): string {
  const { program, faults } = compileExpression<null>(
    source,
    environment,
    { resolve: (path) => (path.length === 1 ? () => OURS[path[0] ?? ""] : null) },
    { checks: "none" },
  );
  if (faults !== undefined) return "error";
  return shown(program.evaluate(null));
}

/** One text for one value. */
function shown(value: Result): string {
  if (value instanceof Abnormal) return "error";
  if (value === null || typeof value === "boolean") return String(value);
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "number" || typeof value === "bigint") return `int ${value}`;
  if (value instanceof Uint) return `uint ${value.value}`;
  if (value instanceof Double) return `double ${value.value}`;
  if (value instanceof Uint8Array) return `bytes ${Buffer.from(value).toString("hex")}`;
  if (value instanceof Duration || value instanceof Timestamp) return `time ${value.seconds}.${value.nanos}`;
  if (value instanceof TypeValue) return `type ${value.name}`;
  if (Array.isArray(value)) return `[${value.map((one) => shown(one)).join(", ")}]`;
  if (!(value instanceof MapValue)) return "?";
  const entries = [...value.keys()].map((key) => `${shown(key)}: ${shown(value.get(key) as Value)}`);
  return `{${entries.sort().join(", ")}}`;
}

const env = celEnv();
const BINDINGS = {
  text: "/api/v1",
  number: 200n,
  list: [1n, "x", 2.5],
  map: new Map<string | bigint, string | bigint>([
    ["a", 1n],
    [2n, "two"],
  ]),
};

function reference(source: string): string {
  try {
    return shownReference(plan(env, parseReference(source))(BINDINGS));
  } catch {
    return "error";
  }
}

function shownReference(value: unknown): string {
  if (value === null || typeof value === "boolean") return String(value);
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "bigint") return `int ${value}`;
  if (typeof value === "number") return `double ${value}`;
  if (isCelUint(value)) return `uint ${value.value}`;
  if (value instanceof Uint8Array) return `bytes ${Buffer.from(value).toString("hex")}`;
  if (isCelList(value)) return `[${[...value].map(shownReference).join(", ")}]`;
  if (isCelMap(value)) {
    const entries = [...value].map(([key, one]) => `${shownReference(key)}: ${shownReference(one)}`);
    return `{${entries.sort().join(", ")}}`;
  }
  if (value instanceof Error || (value as { kind?: unknown }).kind === "error") return "error";
  const { name, message } = value as { name?: string; message?: { seconds: bigint; nanos: number } };
  return message === undefined ? `type ${name}` : `time ${message.seconds}.${message.nanos}`;
}

describe("against another implementation", () => {
  it("the same value, or both fail", () => {
    fc.assert(
      fc.property(anyExpression, (source) => {
        expect(ours(source)).toBe(reference(source));
      }),
      { numRuns: RUNS },
    );
  });
});
