// From the text of one file to validated objects and faults. Pure: the same text always gives the same result.
import {
  type ConfigObject,
  type Kind,
  type ObjectKey,
  type Origin,
  objectKey,
  type SpecByKind,
} from "./config-object.ts";
import type { Fault } from "./fault.ts";
import { parsePath } from "./field-path.ts";
import { type Identity, identify } from "./identify.ts";
import { KINDS } from "./kind-registry.ts";
import { withoutSecrets } from "./kinds/secret-schema.ts";
import { checkAnnotations, objectMetadata } from "./object-metadata.ts";
import { Cursor } from "./schema/cursor.ts";
import { isObject, type Reader } from "./schema/reader.ts";
import { parseSource, type SourceObject } from "./yaml-document.ts";

/** What one file says, without regard to any other. */
export interface FileReading {
  readonly file: string;
  /** Valid objects in the order of the file. */
  readonly objects: readonly ConfigObject[];
  /** Objects that were recognised and refused: their last good version stays. */
  readonly refused: readonly ObjectKey[];
  /** The file can't be read, or holds an object without a name: what is missing may still be meant. */
  readonly incomplete: boolean;
  readonly faults: readonly Fault[];
}

export interface SourceFile {
  /** As shown to people. */
  readonly file: string;
  readonly text: string;
  /** Rank of the configured directory or file it belongs to; 0 when there is only one. */
  readonly root?: number;
}

/** Reads all objects of a file. Never throws. */
export function readConfig({ file, text, root = 0 }: SourceFile): FileReading {
  const source = parseSource(file, text);
  const reading = { objects: [] as ConfigObject[], refused: [] as ObjectKey[], faults: [...source.faults] };
  let incomplete = source.faults.length > 0;
  source.objects.forEach((document, ordinal) => {
    const identified = identify(file, document);
    reading.faults.push(...identified.faults);
    if (identified.identity === undefined) {
      incomplete ||= identified.faults.some((fault) => fault.severity === "error");
      return;
    }
    const { identity, source: inner } = identified;
    const result = readObject(identity, inner, { ...inner.locate([]), root, ordinal });
    reading.faults.push(...result.faults);
    if (result.object === undefined) reading.refused.push(objectKey(identity.kind, identity.namespace, identity.name));
    else reading.objects.push(result.object);
  });
  return Object.freeze({ file, ...reading, incomplete });
}

interface ObjectReading {
  readonly object: ConfigObject | undefined;
  readonly faults: readonly Fault[];
}

function readObject<K extends Kind>(identity: Identity<K>, source: SourceObject, origin: Origin): ObjectReading {
  const { kind, namespace, name } = identity;
  const label = objectLabel(kind, namespace, name);
  const root = Cursor.root({ object: label, namespace, locate: source.locate });
  const raw = isObject(source.value) ? source.value : {};
  checkTopLevel(kind, raw, label, root);
  const metadata = objectMetadata(raw.metadata ?? { name }, root.at("metadata"));
  if (metadata !== undefined && KINDS[kind].strict) {
    checkAnnotations(kind, metadata.annotations, root.at("metadata").at("annotations"));
  }
  const spec = readSpec(kind, raw, root);
  const faults = [...source.faults.map((fault) => ({ ...fault, object: label })), ...root.faults];
  const refused = faults.some((fault) => fault.severity === "error");
  if (refused || metadata === undefined || spec === undefined) return { object: undefined, faults };
  const originOf = (path: string) => source.locate(parsePath(path));
  const { apiVersion } = identity;
  const shown = kind === "Secret" ? withoutSecrets(raw) : raw;
  return {
    object: Object.freeze({ kind, apiVersion, name, namespace, metadata, spec, raw: shown, origin, originOf }),
    faults,
  };
}

function readSpec<K extends Kind>(
  kind: K,
  raw: Readonly<Record<string, unknown>>,
  root: Cursor,
): SpecByKind[K] | undefined {
  const definition = KINDS[kind];
  const reader: Reader<SpecByKind[K]> = definition.reader;
  if (definition.reads === "object") return reader(raw, root);
  if (raw.spec === undefined || raw.spec === null) {
    if (definition.needsSpec) root.error("missing-field", "The object has no spec.", "Add spec.");
    return reader({}, root.at("spec"));
  }
  return reader(raw.spec, root.at("spec"));
}

const TOP_LEVEL = ["apiVersion", "kind", "metadata", "spec", "status"];

function checkTopLevel(kind: Kind, raw: Readonly<Record<string, unknown>>, label: string, root: Cursor): void {
  if (!KINDS[kind].strict) return;
  for (const key of Object.keys(raw)) {
    if (TOP_LEVEL.includes(key)) continue;
    const resource = label.slice(kind.length + 1);
    const message = `unknown field "${key}" on ${kind} resource ${resource}.`;
    root.at(key).error("unknown-top-level-field", message, "Indent it below spec, or remove it.");
  }
}

/** `VirtualService default/reviews`, as faults show it. */
export function objectLabel(kind: string, namespace: string, name: string): string {
  return namespace === "" ? `${kind} ${name}` : `${kind} ${namespace}/${name}`;
}
