import { Property, RootContext } from "@mixerless/sdk";
import { Peer } from "../peer/peer.ts";
import { namespaceOf } from "../peer/peer-claims.ts";

export const UNKNOWN: string = "unknown";
const LATEST: string = "latest";

/** One end of a stream, as the labels show it. */
export class Side {
  workload: string = UNKNOWN;
  namespace: string = UNKNOWN;
  principal: string = UNKNOWN;
  app: string = UNKNOWN;
  version: string = UNKNOWN;
  canonicalService: string = UNKNOWN;
  canonicalRevision: string = UNKNOWN;
  cluster: string = UNKNOWN;
}

/** The proxy's own workload. What its node does not say stays empty: only a peer can be unknown. */
export class LocalNode {
  readonly workload: string;
  readonly namespace: string;
  readonly app: string;
  readonly version: string;
  readonly canonicalService: string;
  readonly canonicalRevision: string;
  readonly cluster: string;

  constructor(root: RootContext) {
    this.workload = nodeText(root, ["WORKLOAD_NAME"]);
    this.namespace = nodeText(root, ["NAMESPACE"]);
    this.app = nodeText(root, ["LABELS", "app"]);
    this.version = nodeText(root, ["LABELS", "version"]);
    this.canonicalService = nodeText(root, ["LABELS", "service.istio.io/canonical-name"]);
    this.canonicalRevision = nodeText(root, ["LABELS", "service.istio.io/canonical-revision"]);
    this.cluster = nodeText(root, ["CLUSTER_ID"]);
  }
}

/** The value of a path below the node's metadata, or empty. */
export function nodeText(root: RootContext, path: string[]): string {
  const text = root.getString(new Property(["xds", "node", "metadata"].concat(path)));
  return text === null ? "" : text;
}

/** The local end. */
export function sideOfNode(node: LocalNode, principal: string): Side {
  const side = new Side();
  side.workload = node.workload;
  side.namespace = node.namespace;
  side.principal = known(principal);
  side.app = node.app;
  side.version = node.version;
  side.canonicalService = node.canonicalService;
  side.canonicalRevision = node.canonicalRevision;
  side.cluster = node.cluster;
  return side;
}

/** The other end, by its metadata and certificate. The namespace in a certificate can be trusted more than metadata. */
export function sideOfPeer(peer: Peer | null, principal: string): Side {
  const side = new Side();
  if (peer !== null) fill(side, peer);
  side.canonicalRevision = peer === null || peer.canonicalRevision.length === 0 ? LATEST : peer.canonicalRevision;
  setPrincipal(side, principal);
  return side;
}

/**
 * The other end, by what its endpoint says: `workload;namespace;canonical name;canonical revision;cluster`, the revision
 * empty for `latest`. App and version are not part of it. A text with fewer parts says nothing.
 */
export function sideOfEndpoint(endpoint: string | null, principal: string): Side {
  const side = new Side();
  const parts: string[] = endpoint === null ? [] : endpoint.split(";");
  side.canonicalRevision = LATEST;
  if (parts.length >= 5) {
    side.workload = known(parts[0]!);
    side.namespace = known(parts[1]!);
    side.canonicalService = known(parts[2]!);
    if (parts[3]!.length > 0) side.canonicalRevision = parts[3]!;
    side.cluster = known(parts[4]!);
  }
  setPrincipal(side, principal);
  return side;
}

/** The destination of a waypoint: everything by metadata, also the identity. */
export function sideOfBackend(peer: Peer | null): Side {
  const side = new Side();
  if (peer === null) return side;
  fill(side, peer);
  side.principal = known(peer.identity);
  return side;
}

/** `text`, or `unknown` if it is empty. */
export function known(text: string): string {
  return text.length > 0 ? text : UNKNOWN;
}

function fill(side: Side, peer: Peer): void {
  side.workload = known(peer.workload);
  side.namespace = known(peer.namespace);
  side.app = known(peer.app);
  side.version = known(peer.version);
  side.canonicalService = known(peer.canonicalName);
  side.canonicalRevision = known(peer.canonicalRevision);
  side.cluster = known(peer.cluster);
}

function setPrincipal(side: Side, principal: string): void {
  side.principal = known(principal);
  const namespace = namespaceOf(principal);
  if (namespace.length > 0) side.namespace = namespace;
}
