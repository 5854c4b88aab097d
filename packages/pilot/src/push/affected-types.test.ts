import { TypeUrl } from "@mixerless/xds";
import { expect, test } from "vitest";
import { ConfigStore } from "../config/config-store.ts";
import { readConfig } from "../config/read-config.ts";
import { type Manifest, object } from "../model/testing/push-of.ts";
import { pushScope } from "./affected-types.ts";

function reading(configPatches: readonly Manifest[]) {
  const text = JSON.stringify(object("EnvoyFilter", "x", { configPatches }));
  return { reading: readConfig({ file: "x.yaml", text }) };
}

const remove = (applyTo: string): Manifest => ({ applyTo, patch: { operation: "REMOVE" } });

test.each<[string, string[]]>([
  ["CLUSTER", [TypeUrl.cluster]],
  ["LISTENER", [TypeUrl.listener]],
  ["HTTP_ROUTE", [TypeUrl.listener, TypeUrl.route]],
  ["EXTENSION_CONFIG", [TypeUrl.extensionConfig]],
  ["BOOTSTRAP", []],
])("an EnvoyFilter with a patch for %s concerns these types when it comes and when it goes", (applyTo, types) => {
  const store = new ConfigStore();
  const before = store.snapshot();
  store.apply([reading([remove(applyTo)])]);
  const after = store.snapshot();
  const changed = new Set(["EnvoyFilter/default/x"]);
  expect([...pushScope(before, after, changed, false).everywhere.keys()]).toEqual(types);
  expect([...pushScope(after, before, changed, false).everywhere.keys()]).toEqual(types);
});
