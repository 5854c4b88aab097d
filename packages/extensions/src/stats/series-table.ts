import { Property, RootContext, StateName, StreamContext, TupleTable, toInt } from "@mixerless/sdk";
import { Peer, readPeer } from "../peer/peer.ts";
import { DOWNSTREAM_PEER, UPSTREAM_PEER } from "../peer/peer-states.ts";
import { DESTINATION, Facts, SOURCE, standardValues } from "./derive.ts";
import { Plan } from "./plan.ts";
import { responseFlags } from "./response-flags.ts";
import { SeriesSet } from "./series.ts";
import { ServiceFacts, serviceOf } from "./service.ts";
import { LocalNode } from "./side.ts";

/** What a series is looked for. */
export const HTTP: i32 = 0;
export const GRPC: i32 = 1;
export const TCP: i32 = 2;
/** A gRPC stream that has not ended: only its messages are counted. */
export const MESSAGES: i32 = 3;

const PROTOCOLS: string[] = ["http", "grpc", "tcp", "grpc"];

/** gRPC statuses beside 0 to 16. */
const UNPARSABLE: i32 = -1;
const NO_STATUS: i32 = -2;

// Places in the tuple.
const DOWNSTREAM: i32 = 2;
const UPSTREAM: i32 = 3;
const ENDPOINT: i32 = 4;
const PEER_PRINCIPAL: i32 = 5;
const LOCAL_PRINCIPAL: i32 = 6;
const CLUSTER: i32 = 7;
const ROUTE: i32 = 8;
const SERVICE_HOST: i32 = 9;
const SERVICE_NAME: i32 = 10;
const SERVICE_NAMESPACE: i32 = 11;
const AUTHORITY: i32 = 12;
const FIRST_EXPRESSION: i32 = 13;

// A set of series costs about 2 KiB here. The series themselves live, expire and are limited in the host's store.
const CAPACITY: i32 = 4096;

/** Finds the series of a stream by the raw values of its attributes; makes label values only for new combinations. */
export class SeriesTable {
  private readonly root: RootContext;
  private readonly plan: Plan;
  private readonly node: LocalNode;
  private readonly reporter: i32;
  private readonly hostHeader: boolean;
  private readonly tuples: TupleTable<SeriesSet> = new TupleTable<SeriesSet>(CAPACITY);
  private readonly code: Property = new Property(["response", "code"]);
  private readonly flags: Property = new Property(["response", "flags"]);
  private readonly grpcStatus: Property = new Property(["response", "grpc_status"]);
  private readonly downstreamPeer: StateName = new StateName(DOWNSTREAM_PEER);
  private readonly upstreamPeer: StateName = new StateName(UPSTREAM_PEER);
  private readonly endpoint: Property = new Property(workloadPath());
  private readonly statePeerPrincipal: Property = new Property(["filter_state", "io.istio.peer_principal"]);
  private readonly stateLocalPrincipal: Property = new Property(["filter_state", "io.istio.local_principal"]);
  private readonly peerPrincipal: Property;
  private readonly localPrincipal: Property;
  private readonly cluster: Property = new Property(["xds", "cluster_name"]);
  private readonly route: Property = new Property(["xds", "route_name"]);
  private readonly serviceHost: Property = new Property(servicePath("host"));
  private readonly serviceName: Property = new Property(servicePath("name"));
  private readonly serviceNamespace: Property = new Property(servicePath("namespace"));
  private readonly authority: Property = new Property(["request", "host"]);

  /** `hostHeader`: it may stand for the service where the cluster's metadata does not name one. */
  constructor(root: RootContext, plan: Plan, reporter: i32, hostHeader: boolean) {
    const connection = reporter === SOURCE ? "upstream" : "connection";
    this.root = root;
    this.plan = plan;
    this.node = new LocalNode(root);
    this.reporter = reporter;
    this.hostHeader = hostHeader;
    this.peerPrincipal = new Property([connection, "uri_san_peer_certificate"]);
    this.localPrincipal = new Property([connection, "uri_san_local_certificate"]);
  }

  find(stream: StreamContext, mode: i32): SeriesSet {
    const code: i32 = mode === TCP || mode === MESSAGES ? 0 : toInt(stream.getNumber(this.code, 0)) & 0xffff;
    const status: i32 = mode === GRPC ? this.grpcStatusOf(stream) : NO_STATUS;
    const flags: i32 = toInt(stream.getNumber(this.flags, 0));
    const tuples = this.tuples;
    tuples.begin();
    tuples.addNumber((code << 8) | ((status - NO_STATUS) << 2) | mode);
    tuples.addNumber(flags);
    this.addPeers(stream);
    this.addPrincipals(stream);
    this.addService(stream, mode);
    this.addExpressions(stream);
    const known = tuples.find();
    if (known !== null) return known;
    const facts = this.facts(mode, code, status, flags);
    const made = new SeriesSet(this.root, this.plan.metrics, this.values(facts));
    tuples.put(made);
    return made;
  }

  private grpcStatusOf(stream: StreamContext): i32 {
    const status: i32 = toInt(stream.getNumber(this.grpcStatus, NO_STATUS));
    if (status === NO_STATUS) return NO_STATUS;
    return status < 0 || status > 16 ? UNPARSABLE : status;
  }

  private addPeers(stream: StreamContext): void {
    const tuples = this.tuples;
    if (this.reporter === SOURCE) tuples.addText(null);
    else tuples.addState(stream, this.downstreamPeer);
    const upstream = this.reporter === DESTINATION ? tuples.addText(null) : tuples.addState(stream, this.upstreamPeer);
    // Only a client without a peer needs what the endpoint says.
    if (upstream || this.reporter !== SOURCE) tuples.addText(null);
    else tuples.addString(stream, this.endpoint);
  }

  /** On the server an authentication filter's word counts more than the connection's certificate. */
  private addPrincipals(stream: StreamContext): void {
    const tuples = this.tuples;
    if (this.reporter !== SOURCE) {
      const peer = tuples.addString(stream, this.statePeerPrincipal);
      const local = tuples.addString(stream, this.stateLocalPrincipal);
      if (peer || local) return;
      tuples.back(2);
    }
    tuples.addString(stream, this.peerPrincipal);
    tuples.addString(stream, this.localPrincipal);
  }

  private addService(stream: StreamContext, mode: i32): void {
    const tuples = this.tuples;
    tuples.addString(stream, this.cluster);
    tuples.addString(stream, this.route);
    const named = tuples.addString(stream, this.serviceHost);
    tuples.addString(stream, this.serviceName);
    tuples.addString(stream, this.serviceNamespace);
    if (named || !this.hostHeader || mode === TCP) tuples.addText(null);
    else tuples.addString(stream, this.authority);
  }

  private addExpressions(stream: StreamContext): void {
    const dimensions = this.plan.dimensions;
    for (let i: i32 = 0; i < dimensions.length; i++) {
      if (dimensions[i]!.isExpression) this.tuples.addText(dimensions[i]!.evaluate(stream));
    }
  }

  /** From the tuple of the last search. */
  private facts(mode: i32, code: i32, status: i32, flags: i32): Facts {
    const tuples = this.tuples;
    const service = new ServiceFacts();
    service.cluster = tuples.text(CLUSTER);
    service.route = tuples.text(ROUTE);
    service.host = tuples.text(SERVICE_HOST);
    service.name = tuples.text(SERVICE_NAME);
    service.namespace = tuples.text(SERVICE_NAMESPACE);
    service.authority = tuples.text(AUTHORITY);
    const facts = new Facts();
    facts.downstreamPeer = peerOf(tuples.text(DOWNSTREAM));
    facts.upstreamPeer = peerOf(tuples.text(UPSTREAM));
    facts.endpoint = tuples.text(ENDPOINT);
    facts.peerPrincipal = textOf(tuples.text(PEER_PRINCIPAL));
    facts.localPrincipal = textOf(tuples.text(LOCAL_PRINCIPAL));
    facts.service = serviceOf(service);
    facts.protocol = PROTOCOLS[mode]!;
    facts.responseCode = code.toString();
    facts.grpcStatus = status === NO_STATUS ? "" : status.toString();
    facts.responseFlags = responseFlags(flags);
    return facts;
  }

  private values(facts: Facts): string[] {
    const values = standardValues(this.reporter, this.node, facts);
    const dimensions = this.plan.dimensions;
    let place: i32 = FIRST_EXPRESSION;
    for (let i: i32 = 0; i < dimensions.length; i++) {
      const evaluated = dimensions[i]!.isExpression ? this.tuples.text(place) : null;
      if (dimensions[i]!.isExpression) place++;
      values.push(dimensions[i]!.labelValue(evaluated, facts.downstreamPeer, facts.upstreamPeer));
    }
    return values;
  }
}

function peerOf(metadata: string | null): Peer | null {
  return metadata === null ? null : readPeer(metadata);
}

function textOf(text: string | null): string {
  return text === null ? "" : text;
}

function servicePath(field: string): string[] {
  return ["xds", "cluster_metadata", "filter_metadata", "istio", "services", "0", field];
}

function workloadPath(): string[] {
  return ["xds", "upstream_host_metadata", "filter_metadata", "istio", "workload"];
}
