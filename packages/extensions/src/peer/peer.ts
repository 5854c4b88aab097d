import { decodeStruct, JSON_STRING, JsonValue } from "@mixerless/sdk";

const CANONICAL_NAME: string = "service.istio.io/canonical-name";
const CANONICAL_REVISION: string = "service.istio.io/canonical-revision";

// The only workload types that upstream knows; an owner of another type is not rebuilt.
const WORKLOAD_TYPES: string[] = ["deployment", "cronjob", "pod", "job"];

/** Who the other side is, from its metadata. A field that it did not send is empty. */
export class Peer {
  /** The metadata as it was sent. */
  readonly metadata: JsonValue;
  readonly name: string;
  readonly namespace: string;
  readonly workload: string;
  /** `deployment`, `cronjob`, `pod`, `job` or empty. */
  readonly workloadType: string;
  readonly cluster: string;
  readonly identity: string;
  readonly canonicalName: string;
  readonly canonicalRevision: string;
  readonly app: string;
  readonly version: string;

  constructor(metadata: JsonValue) {
    this.metadata = metadata;
    this.name = textOf(metadata, "NAME");
    this.namespace = textOf(metadata, "NAMESPACE");
    this.workload = textOf(metadata, "WORKLOAD_NAME");
    this.workloadType = workloadTypeOf(textOf(metadata, "OWNER"), textOf(metadata, "WORKLOAD_NAME"));
    this.cluster = textOf(metadata, "CLUSTER_ID");
    this.identity = textOf(metadata, "IDENTITY");
    const labels = metadata.get("LABELS");
    this.canonicalName = labelOf(labels, CANONICAL_NAME);
    this.canonicalRevision = labelOf(labels, CANONICAL_REVISION);
    // From Istio 1.29 on the recommended Kubernetes labels win over the short ones.
    this.app = firstText(labelOf(labels, "app.kubernetes.io/name"), labelOf(labels, "app"));
    this.version = firstText(labelOf(labels, "app.kubernetes.io/version"), labelOf(labels, "version"));
  }

  /** A label that the peer sent, or empty. */
  label(name: string): string {
    return labelOf(this.metadata.get("LABELS"), name);
  }

  /** The names of the labels that the peer sent. */
  labelNames(): string[] {
    const labels = this.metadata.get("LABELS");
    return labels === null ? [] : labels.names;
  }

  /**
   * A field by the names that expressions use: those of the native peer object (`workload`, `cluster`, `service` …) and
   * of the Wasm-era node object (`workload_name`, `cluster_id` …). Null if it is empty or unknown.
   */
  field(name: string): string | null {
    const text = this.fieldText(name);
    return text.length > 0 ? text : null;
  }

  private fieldText(name: string): string {
    if (name === "workload" || name === "workload_name") return this.workload;
    if (name === "namespace") return this.namespace;
    if (name === "cluster" || name === "cluster_id") return this.cluster;
    if (name === "service") return this.canonicalName;
    if (name === "revision") return this.canonicalRevision;
    if (name === "app") return this.app;
    if (name === "version") return this.version;
    if (name === "type") return this.workloadType;
    if (name === "name") return this.name;
    if (name === "identity") return this.identity;
    if (name === "region") return textOf(this.metadata, "REGION");
    if (name === "availability_zone") return textOf(this.metadata, "AVAILABILITY_ZONE");
    if (name === "owner") return textOf(this.metadata, "OWNER");
    if (name === "istio_version") return textOf(this.metadata, "ISTIO_VERSION");
    return name === "mesh_id" ? textOf(this.metadata, "MESH_ID") : "";
  }
}

/** The peer that `bytes`, a serialised Struct as a byte string, describes; null if they are malformed or out of bounds. */
export function readPeer(bytes: string): Peer | null {
  const metadata = decodeStruct(bytes);
  return metadata === null ? null : new Peer(metadata);
}

/** `deployment` for `…/deployments/<workload>`; empty for an owner of another shape or an unknown type. */
export function workloadTypeOf(owner: string, workload: string): string {
  const tail = `s/${workload}`;
  if (workload.length === 0 || !owner.endsWith(tail)) return "";
  const head = owner.substring(0, owner.length - tail.length);
  const type = head.substring(head.lastIndexOf("/") + 1);
  return WORKLOAD_TYPES.includes(type) ? type : "";
}

/** `first` unless it is empty. */
export function firstText(first: string, second: string): string {
  return first.length > 0 ? first : second;
}

/** Values of other kinds than text are ignored, as upstream does. */
function textOf(struct: JsonValue, name: string): string {
  const value = struct.get(name);
  return value !== null && value.kind === JSON_STRING ? value.text : "";
}

function labelOf(labels: JsonValue | null, name: string): string {
  return labels === null ? "" : textOf(labels, name);
}
