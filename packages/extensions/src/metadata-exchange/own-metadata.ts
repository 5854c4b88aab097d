import { JSON_OBJECT, JSON_STRING, JsonValue, Property, RootContext, StructWriter } from "@mixerless/sdk";
import { Peer } from "../peer/peer.ts";

const TEXT_FIELDS: string[] = ["NAME", "NAMESPACE", "WORKLOAD_NAME", "CLUSTER_ID", "OWNER", "IDENTITY"];

const LABELS: string[] = [
  "service.istio.io/canonical-name",
  "service.istio.io/canonical-revision",
  "app",
  "version",
  "app.kubernetes.io/name",
  "app.kubernetes.io/version",
];

/** What this proxy tells its peers about itself: a serialised Struct, as a byte string, keys sorted. */
export function ownMetadata(root: RootContext, additionalLabels: string[]): string {
  const labels = new JsonValue(JSON_OBJECT, "");
  addAll(root, labels, ["xds", "node", "metadata", "LABELS"], LABELS);
  addAll(root, labels, ["xds", "node", "metadata", "LABELS"], additionalLabels);
  const node = new JsonValue(JSON_OBJECT, "");
  addAll(root, node, ["xds", "node", "metadata"], TEXT_FIELDS);
  node.names.push("LABELS");
  node.items.push(labels);
  const struct = encode(new Peer(node), additionalLabels);
  struct.addText("REGION", nodeText(root, ["xds", "node", "locality"], "region"));
  struct.addText("AVAILABILITY_ZONE", nodeText(root, ["xds", "node", "locality"], "zone"));
  return struct.finish();
}

/** Upstream sends what it understood of the node, not the node itself: the owner is rebuilt, the labels are chosen. */
function encode(self: Peer, additionalLabels: string[]): StructWriter {
  const struct = new StructWriter();
  struct.addText("NAME", self.name);
  struct.addText("NAMESPACE", self.namespace);
  struct.addText("WORKLOAD_NAME", self.workload);
  struct.addText("CLUSTER_ID", self.cluster);
  struct.addText("IDENTITY", self.identity);
  struct.addText("OWNER", ownerOf(self));
  const labels = new StructWriter();
  for (let i: i32 = 0; i < additionalLabels.length; i++) {
    labels.addText(additionalLabels[i]!, self.label(additionalLabels[i]!));
  }
  labels.addText("service.istio.io/canonical-name", self.canonicalName);
  labels.addText("service.istio.io/canonical-revision", self.canonicalRevision);
  labels.addText("app", self.app);
  labels.addText("version", self.version);
  struct.addStruct("LABELS", labels);
  return struct;
}

function ownerOf(self: Peer): string {
  if (self.workloadType.length === 0) return "";
  return `kubernetes://apis/apps/v1/namespaces/${self.namespace}/${self.workloadType}s/${self.workload}`;
}

function addAll(root: RootContext, object: JsonValue, path: string[], names: string[]): void {
  for (let i: i32 = 0; i < names.length; i++) {
    object.names.push(names[i]!);
    object.items.push(new JsonValue(JSON_STRING, nodeText(root, path, names[i]!)));
  }
}

function nodeText(root: RootContext, path: string[], name: string): string {
  const text = root.getString(new Property(path.concat([name])));
  return text === null ? "" : text;
}
