import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { MESH } from "../envoy-filters/testing/mesh-with-filters.ts";
import { object } from "../model/testing/push-of.ts";
import { validateFiles } from "./validate-files.ts";

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "validate-"));
});

afterEach(() => rmSync(directory, { recursive: true }));

function save(name: string, text: string): void {
  writeFileSync(join(directory, name), text);
}

function rule(name: string, spec: string): string {
  return `apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: ${name}}\nspec: {${spec}}\n`;
}

test("says what would be refused and what is doubtful", async () => {
  save("a.yaml", `${rule("a", "host: a")}---\n${rule("b", "host: 5")}`);
  save("c.yaml", rule("c", "host: c, substs: []"));
  expect(await validateFiles([directory])).toMatchObject({
    objects: 2,
    errors: 1,
    warnings: 1,
    faults: [{ code: "wrong-type" }, { code: "unknown-field" }],
  });
});

test("says what of a policy could not be enforced", async () => {
  const rules = "[{when: [{key: destination.port, values: [http]}]}]";
  save(
    "p.yaml",
    `apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {name: p}\nspec: {rules: ${rules}}\n`,
  );
  const { faults, ...report } = await validateFiles([directory]);
  expect(report).toEqual({ objects: 1, errors: 0, warnings: 1 });
  expect(faults).toMatchObject([
    { code: "not-enforceable", object: "AuthorizationPolicy default/p", path: "spec.rules[0].when[0].values", line: 4 },
  ]);
  expect(faults[0]?.message).toContain("The rule allows nothing.");
});

test("says which patch matches nothing of the workloads in the files", async () => {
  const patch = (portNumber: number) => ({
    applyTo: "LISTENER",
    match: { context: "SIDECAR_INBOUND", listener: { portNumber } },
    patch: { operation: "REMOVE" },
  });
  const filter = object("EnvoyFilter", "x", { configPatches: [patch(9080), patch(9081)] });
  save("mesh.yaml", [...MESH, filter].map((entry) => JSON.stringify(entry)).join("\n---\n"));
  expect((await validateFiles([directory], "1.30.3")).faults).toMatchObject([
    { code: "patch-matched-nothing", path: "spec.configPatches[1]" },
  ]);
});
