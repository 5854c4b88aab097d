import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { KINDS } from "../../src/config/kind-registry.ts";
import { baseObjects, compare, type Verdict } from "./compare.ts";
import { readDefinitions, type Schema } from "./schema.ts";
import { STRICTER } from "./stricter.ts";

const DATA = process.env.ISTIO_DATA ?? "";
/** MIXERLESS_CRD=all tries every change: half a minute. */
const STRIDE = process.env.MIXERLESS_CRD === "all" ? 1 : 8;

if (DATA === "") console.log("ISTIO_DATA is not set: our validation is not compared with Istio's published schemas");

describe.skipIf(DATA === "")("our validation beside Istio's published schemas and CEL rules", () => {
  let schemas: ReadonlyMap<string, Schema>;
  let verdicts: readonly Verdict[];

  beforeAll(() => {
    schemas = readDefinitions(join(DATA, "istio-crds-1.30.3.yaml"));
    verdicts = compare(schemas, baseObjects(), STRIDE);
  }, 300_000);

  it("knows the same versions of each kind", () => {
    const ours = Object.entries(KINDS).flatMap(([kind, { group, versions }]) =>
      group.endsWith("istio.io") ? versions.map((version) => `${group}/${version} ${kind}`) : [],
    );
    const theirs = [...schemas.keys()].filter((name) => !/ (WorkloadGroup|TrafficExtension)$/.test(name));
    expect(ours.sort()).toEqual(theirs.sort());
  });

  it("is about thousands of objects of every kind", () => {
    const kinds = new Set(verdicts.map(({ object }) => object.kind));
    expect(kinds.size).toBe(13);
    expect(verdicts.filter(({ crd, ours }) => crd.length + ours.length === 0).length).toBeGreaterThan(1000);
    expect(verdicts.filter(({ crd, ours }) => crd.length > 0 && ours.length > 0).length).toBeGreaterThan(500);
    expect(verdicts.filter(({ crd }) => crd.length > 0).length).toBeLessThan(verdicts.length);
  });

  it("refuses whatever they refuse", () => {
    const accepted = verdicts.filter(({ crd, ours }) => crd.length > 0 && ours.length === 0);
    expect(accepted.map(({ name, crd }) => `${name}: ${crd.join("; ")}`)).toEqual([]);
  });

  it("refuses more for reasons that are written down, and for no others", () => {
    const stricter = verdicts.filter(({ crd, ours }) => crd.length === 0 && ours.length > 0);
    const unexplained = stricter.filter(({ ours }) => ours.some((fault) => !Object.hasOwn(STRICTER, code(fault))));
    expect(unexplained.map(({ name, ours }) => `${name}: ${ours.join("; ")}`)).toEqual([]);
    if (STRIDE > 1) return;
    const found = new Set(stricter.flatMap(({ ours }) => ours.map(code)));
    expect(Object.keys(STRICTER).filter((name) => !found.has(name))).toEqual([]);
  });
});

function code(fault: string): string {
  return fault.slice(0, fault.indexOf(" "));
}
