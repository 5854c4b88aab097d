import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";
import type { Kind } from "../../src/config/config-object.ts";
import { readConfig } from "../../src/config/read-config.ts";
import { INVALID_OBJECTS } from "../../src/config/testing/invalid-objects.ts";
import { object } from "../../src/model/testing/push-of.ts";
import { readTrafficCases, type ShortConfig, TRAFFIC_CASES } from "../../src/testing/traffic-case.ts";
import { mutations } from "./mutations.ts";
import { crdProblems, type Json, type Schema } from "./schema.ts";
import { SEEDS } from "./seeds.ts";

/** From the root of the repository, where tests are run. */
const BOOKINFO = "samples/bookinfo/config";

/** Two verdicts on one object. */
export interface Verdict {
  readonly name: string;
  readonly object: Json;
  /** Why an API server would refuse it. */
  readonly crd: readonly string[];
  /** Codes and paths of our errors. */
  readonly ours: readonly string[];
}

/** Every object of the traffic cases, of the invalid objects and of the sample application, once each. */
export function baseObjects(): Json[] {
  const cases = readTrafficCases(TRAFFIC_CASES).flatMap(({ config }) => manifests(config));
  const invalid = INVALID_OBJECTS.map(([kind, , , spec]) => object(kind, "x", spec));
  const files = readdirSync(BOOKINFO).flatMap((file) => {
    const documents = parseAllDocuments(readFileSync(join(BOOKINFO, file), "utf8"));
    return documents.map((document) => document.toJS() as Json | null).filter((entry) => entry !== null);
  });
  const seeds = SEEDS.map(([kind, spec]) => object(kind, "x", spec));
  return [
    ...new Map([...seeds, ...invalid, ...cases, ...files].map((entry) => [JSON.stringify(entry), entry])).values(),
  ];
}

function manifests(config: ShortConfig): Json[] {
  return Object.entries(config).flatMap(([kind, named]) =>
    Object.values(named).map((spec) => {
      const { "+": more = {}, ...written } = spec;
      return object(kind as Kind, "x", written, more as Json);
    }),
  );
}

/**
 * Both verdicts on the objects and on single changes of them, each change of a place once a kind. What both take
 * after a field was added is changed further, so that every field of the schemas is reached. Of the changes of
 * values every `stride`th is tried.
 */
export function compare(schemas: ReadonlyMap<string, Schema>, objects: readonly Json[], stride: number): Verdict[] {
  const verdicts: Verdict[] = [];
  const tried = new Set<string>();
  const queue = [...objects];
  const judge = (schema: Schema, name: string, entry: Json): boolean => {
    const verdict = { name, object: entry, crd: crdProblems(schema, entry), ours: ourProblems(entry) };
    verdicts.push(verdict);
    return verdict.crd.length + verdict.ours.length === 0;
  };
  for (let base = queue.shift(); base !== undefined; base = queue.shift()) {
    const kind = String(base.kind);
    const schema = schemas.get(`${String(base.apiVersion)} ${kind}`);
    // A change of what is wrong already says nothing about the change.
    if (schema === undefined || !judge(schema, kind, base)) continue;
    for (const { place, what, object: changed } of mutations(schema, base)) {
      const name = `${kind} ${place}: ${what}`;
      if (tried.has(name)) continue;
      tried.add(name);
      const adds = what.startsWith("add");
      if (!adds && tried.size % stride !== 0) continue;
      if (judge(schema, name, changed) && adds) queue.push(changed);
    }
  }
  return verdicts;
}

function ourProblems(entry: Json): string[] {
  const { faults } = readConfig({ file: "x.yaml", text: JSON.stringify(entry) });
  return faults.flatMap(({ severity, code, path }) => (severity === "error" ? [`${code} ${path}`] : []));
}
