import type { ObjectMetadata } from "./config-object.ts";
import type { StringMap } from "./kinds/common.ts";
import { checkRollbackAfter, ROLLBACK_ANNOTATION } from "./rollback-after.ts";
import type { Cursor } from "./schema/cursor.ts";
import { isDnsLabel } from "./schema/hosts.ts";
import { lists, object, optional, required, withDefault } from "./schema/object.ts";
import { boolean, convert, describe, map, nonEmpty, type Reader, string } from "./schema/reader.ts";
import { labels } from "./schema/text-rules.ts";

const EMPTY: StringMap = Object.freeze(Object.create(null) as Record<string, string>);
const NAME = /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/;

/** Name of an object, before anything else about it is trusted. */
export function isObjectName(name: unknown): name is string {
  return typeof name === "string" && name.length <= 253 && NAME.test(name);
}

export function isNamespaceName(namespace: unknown): namespace is string {
  return typeof namespace === "string" && isDnsLabel(namespace);
}

const timestamp: Reader<number> = convert(string, (text, at) => {
  const time = Date.parse(text);
  if (Number.isNaN(time)) {
    at.error("bad-time", `${describe(text)} is no time.`, "Write one such as 2026-01-31T12:00:00Z, or remove it.");
    return undefined;
  }
  return time;
});

const ownerReference = object(
  {
    apiVersion: withDefault(string, ""),
    kind: withDefault(nonEmpty, ""),
    name: withDefault(nonEmpty, ""),
    controller: withDefault(boolean, false),
  },
  { open: true },
);

/** `metadata`; names are checked by whoever identifies the object. */
export const objectMetadata: Reader<ObjectMetadata> = convert(
  object(
    {
      name: required(string),
      labels: withDefault(labels, EMPTY),
      annotations: withDefault(map(string), EMPTY),
      creationTimestamp: optional(timestamp),
      generateName: withDefault(string, ""),
      ownerReferences: lists(ownerReference),
    },
    { open: true },
  ),
  ({ name: _, creationTimestamp, ...read }) =>
    Object.freeze({ ...read, ...(creationTimestamp === undefined ? {} : { creationTime: creationTimestamp }) }),
);

const FORBIDDEN = [
  "internal.istio.io/parents",
  "internal.istio.io/parent-namespace",
  "internal.istio.io/webhook-always-reject",
];

/** Annotations that upstream's webhook looks at, whatever the kind (§8.1), and ours. */
export function checkAnnotations(kind: string, annotations: StringMap, at: Cursor): void {
  for (const name of FORBIDDEN) {
    if (annotations[name] === undefined) continue;
    at.at(name).error("reserved-annotation", `The annotation ${name} can't be set.`, "Remove it.");
  }
  if (annotations[ROLLBACK_ANNOTATION] !== undefined) {
    const here = at.at(ROLLBACK_ANNOTATION);
    if (kind === "WasmPlugin") checkRollbackAfter(annotations[ROLLBACK_ANNOTATION], here);
    else here.error("bad-annotation", `There is no roll-back of a ${kind}.`, "Remove it, or set it on a WasmPlugin.");
  }
  const dryRun = annotations["istio.io/dry-run"];
  if (dryRun === undefined) return;
  const here = at.at("istio.io/dry-run");
  if (kind !== "AuthorizationPolicy") here.error("bad-annotation", `There is no dry run of a ${kind}.`, "Remove it.");
  else if (!["true", "false"].includes(dryRun))
    here.error("bad-annotation", "dry-run is true or false.", 'Write "true".');
}
