import type { Kind } from "./config-object.ts";
import type { Fault } from "./fault.ts";
import type { PathSegment } from "./field-path.ts";
import { formatPath } from "./field-path.ts";
import { IGNORED_KINDS, isKind, KINDS, UNSUPPORTED_KINDS } from "./kind-registry.ts";
import { isNamespaceName, isObjectName } from "./object-metadata.ts";
import { nearestName } from "./schema/nearest-name.ts";
import { describe, isObject } from "./schema/reader.ts";
import { parseSource, type SourceObject } from "./yaml-document.ts";

/** What an object is, before its contents are looked at. */
export interface Identity<K extends Kind = Kind> {
  readonly kind: K;
  readonly apiVersion: string;
  readonly namespace: string;
  readonly name: string;
}

export interface Identified {
  /** Undefined: not an object of the mesh, or not recognisable; the faults tell which. */
  readonly identity: Identity | undefined;
  /** Where the contents are: the document itself, or the mesh configuration inside a ConfigMap. */
  readonly source: SourceObject;
  readonly faults: readonly Fault[];
}

const DEFAULT_NAMESPACE = "default";
/** There is one mesh configuration, whatever it is called; two of them are the same object in two places. */
const MESH_NAME = "mesh";

/** Finds out what a document is. */
export function identify(file: string, source: SourceObject): Identified {
  const report = reporter(source);
  const { value } = source;
  const unknown = (fault?: Fault): Identified => ({ identity: undefined, source, faults: fault ? [fault] : [] });
  if (!isObject(value) || typeof value.kind !== "string" || value.kind === "") {
    const message = "The document has no kind, so nothing tells what it is.";
    return unknown(report("error", "no-kind", ["kind"], "", message, "Add apiVersion, kind and metadata.name."));
  }
  const { kind } = value;
  const apiVersion = typeof value.apiVersion === "string" ? value.apiVersion : "";
  const meta = isObject(value.metadata) ? value.metadata : {};
  if (kind === "MeshConfig") return { identity: meshIdentity(apiVersion), source, faults: [] };
  if (kind === "ConfigMap" && meta.name === "istio") return meshConfigMap(file, source, value);
  const kindFault = checkKind(kind, apiVersion, report);
  if (kindFault !== undefined || !isKind(kind)) return unknown(kindFault);
  const nameFault = checkName(kind, meta, report);
  if (nameFault !== undefined) return unknown(nameFault);
  const namespace = KINDS[kind].namespaced ? namespaceOf(meta) : "";
  return { identity: { kind, apiVersion, namespace, name: String(meta.name) }, source, faults: [] };
}

function namespaceOf(meta: Readonly<Record<string, unknown>>): string {
  return typeof meta.namespace === "string" && meta.namespace !== "" ? meta.namespace : DEFAULT_NAMESPACE;
}

function meshIdentity(apiVersion: string): Identity {
  return { kind: "MeshConfig", apiVersion, namespace: "", name: MESH_NAME };
}

/** The ConfigMap `istio` of an installation holds the mesh configuration as text. */
function meshConfigMap(file: string, source: SourceObject, value: Readonly<Record<string, unknown>>): Identified {
  const data = isObject(value.data) ? value.data : {};
  if (typeof data.mesh !== "string") return { identity: undefined, source, faults: [] };
  const base = source.locate(["data", "mesh"]);
  const block = source.blockText(["data", "mesh"]);
  const place = block?.place ?? (() => ({ line: base.line, column: base.column }));
  const inner = parseSource(file, block?.text ?? data.mesh, place);
  const [document] = inner.objects;
  const identity = meshIdentity("");
  if (inner.faults.length > 0) return { identity: undefined, source, faults: inner.faults };
  const contents: SourceObject = {
    value: { kind: "MeshConfig", metadata: { name: MESH_NAME }, spec: document?.value ?? {} },
    faults: document?.faults ?? [],
    locate: (path) => (path[0] === "spec" ? document?.locate(path.slice(1)) : undefined) ?? base,
    blockText: () => undefined,
  };
  return { identity, source: contents, faults: [] };
}

type Report = (
  severity: Fault["severity"],
  code: string,
  path: readonly PathSegment[],
  object: string,
  message: string,
  cure: string,
) => Fault;

function reporter(source: SourceObject): Report {
  return (severity, code, path, object, message, cure) => ({
    code,
    severity,
    object,
    path: formatPath(path),
    ...source.locate(path),
    message,
    cure,
  });
}

function checkKind(kind: string, apiVersion: string, report: Report): Fault | undefined {
  const slash = apiVersion.indexOf("/");
  const group = slash < 0 ? "" : apiVersion.slice(0, slash);
  const version = apiVersion.slice(slash + 1);
  if (isKind(kind) && KINDS[kind].group === group) {
    if (KINDS[kind].versions.includes(version)) return undefined;
    const known = KINDS[kind].versions.map((entry) => (group === "" ? entry : `${group}/${entry}`)).join(", ");
    const message = `${describe(apiVersion)} is no version of ${kind}.`;
    return report("error", "unknown-version", ["apiVersion"], kind, message, `Use ${known}.`);
  }
  if (IGNORED_KINDS.has(kind)) return undefined;
  return unknownKind(kind, apiVersion, group.endsWith("istio.io"), report);
}

function unknownKind(kind: string, apiVersion: string, istio: boolean, report: Report): Fault {
  if (istio && UNSUPPORTED_KINDS.includes(kind)) {
    const message = `${kind} is not supported yet, so the object has no effect.`;
    return report("warning", "unsupported-kind", ["kind"], kind, message, "Remove it, or express it by other kinds.");
  }
  const message = `unrecognized type ${apiVersion === "" ? "without apiVersion" : apiVersion} ${kind}.`;
  if (isKind(kind)) {
    const [version] = KINDS[kind].versions;
    const wanted = [KINDS[kind].group, version].filter((part) => part !== "").join("/");
    const severity = istio || apiVersion === "" ? "error" : "warning";
    return report(severity, "unknown-kind", ["apiVersion"], kind, message, `The mesh reads ${kind} of ${wanted}.`);
  }
  const guess = nearestName(kind, Object.keys(KINDS));
  const cure = guess === undefined ? "Remove it if it is not meant for the mesh." : `Did you mean ${guess}?`;
  return report(istio ? "error" : "warning", "unknown-kind", ["kind"], kind, message, cure);
}

function checkName(kind: Kind, meta: Readonly<Record<string, unknown>>, report: Report): Fault | undefined {
  if (meta.name === undefined || meta.name === null) {
    return report("error", "no-name", ["metadata", "name"], kind, "The object has no name.", "Add metadata.name.");
  }
  if (!isObjectName(meta.name) || (kind === "Gateway" && meta.name.includes("."))) {
    const message = `${describe(meta.name)} can't be the name of a ${kind}.`;
    const cure = "Use lower-case letters, digits, inner hyphens and (except for a Gateway) dots; quote numbers.";
    return report("error", "bad-name", ["metadata", "name"], kind, message, cure);
  }
  const { namespace } = meta;
  if (namespace === undefined || namespace === null || namespace === "" || isNamespaceName(namespace)) return undefined;
  const message = `${describe(namespace)} is no namespace.`;
  return report(
    "error",
    "bad-name",
    ["metadata", "namespace"],
    `${kind} ${meta.name}`,
    message,
    "Use letters, digits and -.",
  );
}
