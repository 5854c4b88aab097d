import { describe, expect, test } from "vitest";
import { formatFault, formatFaults } from "./fault.ts";
import { readConfig } from "./read-config.ts";

const read = (text: string) => readConfig({ file: "f.yaml", text });
const found = (text: string) => read(text).faults.map(({ severity, code, path }) => `${severity} ${code} ${path}`);
const DR = "apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: a}\nspec: {host: a}\n";

describe("what a document is", () => {
  test.each(["v1", "v1beta1", "v1alpha3"])("version %s is read", (version) => {
    expect(read(DR.replace("/v1\n", `/${version}\n`)).objects[0]).toMatchObject({
      kind: "DestinationRule",
      namespace: "default",
    });
  });

  test("an unknown version is refused", () =>
    expect(found(DR.replace("/v1\n", "/v2\n"))).toEqual(["error unknown-version apiVersion"]));

  test("a misspelt kind of Istio is an error with a hint", () => {
    const { faults, incomplete } = read(DR.replace("DestinationRule", "DestinatonRule"));
    expect(faults[0]).toMatchObject({
      severity: "error",
      code: "unknown-kind",
      line: 2,
      cure: "Did you mean DestinationRule?",
    });
    expect(incomplete).toBe(true);
  });

  test("kinds of others: known ones pass in silence, unknown ones draw a warning", () => {
    expect(found("apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: a}")).toEqual([]);
    expect(found("apiVersion: v1\nkind: Servce\nmetadata: {name: a}")).toEqual(["warning unknown-kind kind"]);
    expect(found("apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata: {name: a}")).toEqual([
      "warning unknown-kind apiVersion",
    ]);
    expect(found("apiVersion: networking.istio.io/v1\nkind: WorkloadGroup\nmetadata: {name: a}")).toEqual([
      "warning unsupported-kind kind",
    ]);
  });

  test("kind and name are needed, and make the file incomplete", () => {
    expect(found("a: 1")).toEqual(["error no-kind kind"]);
    expect(found(DR.replace("{name: a}", "{}"))).toEqual(["error no-name metadata.name"]);
    expect(found(DR.replace("name: a", "name: A_b"))).toEqual(["error bad-name metadata.name"]);
    expect(found(DR.replace("name: a", "name: a, namespace: a.b"))).toEqual(["error bad-name metadata.namespace"]);
    expect(read("a: 1").incomplete).toBe(true);
  });
});

describe("the object around the spec", () => {
  test("unknown top-level keys are errors", () => {
    const [fault] = read(`${DR}subsets: []\n`).faults;
    expect(fault).toMatchObject({ severity: "error", code: "unknown-top-level-field", path: "subsets", line: 5 });
    expect(fault?.message).toBe('unknown field "subsets" on DestinationRule resource default/a.');
  });

  test("unknown fields of the spec are warnings with the nearest name", () => {
    const reading = read(DR.replace("{host: a}", "{host: a, trafficPolcy: {}}"));
    expect(reading.faults[0]).toMatchObject({
      severity: "warning",
      code: "unknown-field",
      cure: "Write trafficPolicy.",
    });
    expect(reading.objects).toHaveLength(1);
  });

  test("snake case is read with a warning", () => {
    const reading = read(DR.replace("{host: a}", "{host: a, export_to: [.]}"));
    expect(reading.faults.map(({ code }) => code)).toEqual(["old-spelling"]);
    expect(reading.objects[0]?.spec).toMatchObject({ exportTo: ["."] });
  });

  test("annotations of the webhook", () => {
    const annotated = (text: string) => found(DR.replace("name: a", `name: a, annotations: {${text}}`));
    expect(annotated('istio.io/dry-run: "true"')).toEqual([
      'error bad-annotation metadata.annotations["istio.io/dry-run"]',
    ]);
    expect(annotated('internal.istio.io/parents: "x"')).toEqual([
      'error reserved-annotation metadata.annotations["internal.istio.io/parents"]',
    ]);
    expect(annotated('mixerless.io/rollback-after: "3"')).toEqual([
      'error bad-annotation metadata.annotations["mixerless.io/rollback-after"]',
    ]);
    const plugin = (value: string) =>
      found(
        `apiVersion: extensions.istio.io/v1alpha1\nkind: WasmPlugin\nmetadata: {name: p, annotations: {mixerless.io/rollback-after: "${value}"}}\nspec: {url: r/p}\n`,
      );
    expect(plugin("3")).toEqual([]);
    expect(plugin("0")).toEqual([]);
    expect(plugin("off")).toEqual(['error bad-rollback-after metadata.annotations["mixerless.io/rollback-after"]']);
    expect(annotated("a: 1")).toEqual(["error wrong-type metadata.annotations.a"]);
  });

  test("all faults of an object are reported together, in the order of the lines", () => {
    const text = `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: reviews}
spec:
  hosts: [reviews]
  http:
  - timeout: 10
    route:
    - destination: {host: reviews}
      weight: "5"
  - retries: {attempts: -1}
`;
    expect(read(text).faults.map(({ line, code }) => [line, code])).toEqual([
      [8, "wrong-type"],
      [11, "wrong-type"],
      [12, "missing-action"],
      [12, "out-of-range"],
    ]);
  });
});

test("objects know where they and their fields were written", () => {
  const [, second] = read(`${DR}---\n${DR.replace("name: a", "name: b")}`).objects;
  expect(second?.origin).toEqual({ file: "f.yaml", line: 6, column: 1, root: 0, ordinal: 1 });
  expect(second?.originOf("spec.host")).toEqual({ file: "f.yaml", line: 9, column: 14 });
});

test("a fault as text", () => {
  const [fault] = read(DR.replace("host: a", "host: 5")).faults;
  expect(fault && formatFault(fault)).toBe(
    'error: f.yaml:4:14: DestinationRule default/a spec.host\n  Expected text, found 5.\n  Cure: Put it in quotes: "5". [wrong-type]',
  );
});

test("errors stand before warnings", () => {
  const { faults } = read(DR.replace("{host: a}", "{hst: a}"));
  expect(
    formatFaults(faults)
      .split("\n\n")
      .map((text) => text.split(":")[0]),
  ).toEqual(["error", "warning"]);
});

test("specs are frozen", () => {
  const [object] = read(DR).objects;
  expect(Object.isFrozen(object)).toBe(true);
  expect(Object.isFrozen(object?.spec)).toBe(true);
});
