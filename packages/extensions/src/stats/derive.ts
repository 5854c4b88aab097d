import { firstText, Peer } from "../peer/peer.ts";
import { Service } from "./service.ts";
import { known, LocalNode, Side, sideOfBackend, sideOfEndpoint, sideOfNode, sideOfPeer, UNKNOWN } from "./side.ts";

/** Who reports. */
export const DESTINATION: i32 = 0;
export const SOURCE: i32 = 1;
export const WAYPOINT: i32 = 2;

/** What is known about a stream when its series is looked for the first time. */
export class Facts {
  downstreamPeer: Peer | null = null;
  upstreamPeer: Peer | null = null;
  /** Of the upstream host; counts only without a peer. */
  endpoint: string | null = null;
  /** Identity in the certificate of the other side; empty without. */
  peerPrincipal: string = "";
  localPrincipal: string = "";
  service: Service = new Service();
  protocol: string = "";
  responseCode: string = "";
  grpcStatus: string = "";
  responseFlags: string = "";
}

/** The values of all standard labels, in the order of `LABELS`. */
export function standardValues(reporter: i32, node: LocalNode, facts: Facts): string[] {
  if (reporter === SOURCE) return sourceValues(node, facts);
  const source = sideOfPeer(facts.downstreamPeer, facts.peerPrincipal);
  const mutual = facts.peerPrincipal.length > 0 && facts.localPrincipal.length > 0;
  const policy = mutual ? "mutual_tls" : "none";
  if (reporter === WAYPOINT) {
    const service = shown(facts.service.host, facts.service.name, facts.service.namespace);
    return list("waypoint", source, sideOfBackend(facts.upstreamPeer), service, facts, policy);
  }
  const destination = sideOfNode(node, facts.localPrincipal);
  const host = firstText(facts.service.host, node.canonicalService);
  const service = shown(host, firstText(facts.service.name, node.canonicalService), node.namespace);
  // Own values have no fallback: a node without a namespace has none, it is not unknown.
  service.namespace = node.namespace;
  return list("destination", source, destination, service, facts, policy);
}

function sourceValues(node: LocalNode, facts: Facts): string[] {
  const peer = facts.upstreamPeer;
  const principal = facts.peerPrincipal.length > 0 || peer === null ? facts.peerPrincipal : peer.identity;
  const destination = peer !== null ? sideOfPeer(peer, principal) : sideOfEndpoint(facts.endpoint, principal);
  const namespace = firstText(facts.service.namespace, destination.namespace);
  const service = shown(facts.service.host, facts.service.name, namespace);
  return list("source", sideOfNode(node, facts.localPrincipal), destination, service, facts, UNKNOWN);
}

function shown(host: string, name: string, namespace: string): Service {
  const service = new Service();
  service.host = known(host);
  service.name = known(name);
  service.namespace = known(namespace);
  return service;
}

function list(reporter: string, from: Side, to: Side, service: Service, facts: Facts, policy: string): string[] {
  return [
    reporter,
    from.workload,
    from.canonicalService,
    from.canonicalRevision,
    from.namespace,
    from.principal,
    from.app,
    from.version,
    from.cluster,
    to.workload,
    to.namespace,
    to.principal,
    to.app,
    to.version,
    service.host,
    to.canonicalService,
    to.canonicalRevision,
    service.name,
    service.namespace,
    to.cluster,
    facts.protocol,
    facts.responseCode,
    facts.grpcStatus,
    facts.responseFlags,
    policy,
  ];
}
