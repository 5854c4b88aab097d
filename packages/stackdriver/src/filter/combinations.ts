import {
  type LocalNode,
  type Peer,
  readPeer,
  ServiceFacts,
  type Side,
  serviceOf,
  sideOfEndpoint,
  sideOfNode,
  sideOfPeer,
} from "@mixerless/extensions";
import { type StreamContext, TupleTable } from "@mixerless/sdk";
import type { Attributes } from "./attributes.ts";
import type { Override } from "./overrides.ts";
import { fromByteString } from "./text.ts";

export type Protocol = "http" | "grpc" | "tcp";

/** Who talks to whom and how, as far as many streams have it in common. */
export interface Relation extends StreamKind {
  readonly source: Side;
  readonly destination: Side;
  readonly peer: Peer | null;
  readonly serviceHost: string;
  readonly serviceName: string;
  readonly serviceNamespace: string;
  /** `MUTUAL_TLS`, `NONE` or, of a client, `unknown`. */
  readonly policy: string;
  readonly port: string;
  /** Of the overrides, in their order. */
  readonly evaluated: readonly (string | null)[];
}

export interface CombinationParts<Made> {
  readonly isServer: boolean;
  readonly node: LocalNode;
  readonly attributes: Attributes;
  /** Whether the host header may name the service. */
  readonly hostHeader: boolean;
  /** "" where the request's own is meant. */
  readonly serviceName: string;
  readonly overrides: readonly Override[];
  /** What is kept for each relation. */
  readonly make: (relation: Relation) => Made;
}

/** What the caller of {@link Combinations.find} knows of the stream already. */
export interface StreamKind {
  readonly protocol: Protocol;
  readonly code: number;
  readonly operation: string;
}

const CAPACITY = 4096;
const PROTOCOLS: readonly Protocol[] = ["http", "grpc", "tcp"];
// Places in the tuple.
const [PEER, ENDPOINT, PEER_PRINCIPAL, LOCAL_PRINCIPAL] = [3, 4, 5, 6];
const [CLUSTER, ROUTE, SERVICE_HOST, SERVICE_NAME, SERVICE_NAMESPACE, AUTHORITY, FIRST_OVERRIDE] = [
  7, 8, 9, 10, 11, 12, 14,
];

/** Finds a stream's combination by the raw values of its attributes; label texts are made for new combinations only. */
export class Combinations<Made> {
  readonly #parts: CombinationParts<Made>;
  readonly #tuples = new TupleTable<Made>(CAPACITY);

  constructor(parts: CombinationParts<Made>) {
    this.#parts = parts;
  }

  find(stream: StreamContext, kind: StreamKind): Made {
    const { isServer, attributes, hostHeader, overrides } = this.#parts;
    const tuples = this.#tuples;
    const port = stream.getNumber(attributes.port, 0);
    tuples.begin();
    tuples.addNumber(PROTOCOLS.indexOf(kind.protocol));
    tuples.addNumber(kind.code);
    tuples.addNumber(port);
    const hasPeer = tuples.addState(stream, attributes.peer);
    // Only a client without a peer needs what the endpoint says.
    if (hasPeer || isServer) tuples.addText(null);
    else tuples.addString(stream, attributes.endpoint);
    this.#addPrincipals(stream);
    tuples.addString(stream, attributes.cluster);
    tuples.addString(stream, attributes.route);
    const named = tuples.addString(stream, attributes.serviceHost);
    tuples.addString(stream, attributes.serviceName);
    tuples.addString(stream, attributes.serviceNamespace);
    if (named || !hostHeader || kind.protocol === "tcp") tuples.addText(null);
    else tuples.addString(stream, attributes.authority);
    tuples.addText(kind.operation);
    for (const { expression } of overrides) tuples.addText(expression.evaluate(stream.host));
    const known = tuples.find();
    if (known !== null) return known;
    const made = this.#make(kind, port);
    tuples.put(made);
    return made;
  }

  /** On the server an authentication filter's word counts more than the connection's certificate. */
  #addPrincipals(stream: StreamContext): void {
    const { isServer, attributes } = this.#parts;
    const tuples = this.#tuples;
    if (isServer) {
      const peer = tuples.addString(stream, attributes.statePeerPrincipal);
      const local = tuples.addString(stream, attributes.stateLocalPrincipal);
      if (peer || local) return;
      tuples.back(2);
    }
    tuples.addString(stream, attributes.peerPrincipal);
    tuples.addString(stream, attributes.localPrincipal);
  }

  /** From the tuple of the last search. */
  #make(kind: StreamKind, port: number): Made {
    const { isServer, node, overrides, make } = this.#parts;
    const peerBytes = this.#tuples.text(PEER);
    const peer = peerBytes === null ? null : readPeer(peerBytes);
    const peerPrincipal = this.#tuples.text(PEER_PRINCIPAL) ?? "";
    const localPrincipal = this.#tuples.text(LOCAL_PRINCIPAL) ?? "";
    const local = sideOfNode(node, localPrincipal);
    const remote =
      peer === null && !isServer
        ? sideOfEndpoint(this.#tuples.text(ENDPOINT), peerPrincipal)
        : sideOfPeer(peer, peerPrincipal === "" && !isServer ? (peer?.identity ?? "") : peerPrincipal);
    const [source, destination] = isServer ? [remote, local] : [local, remote];
    const mutual = peerPrincipal !== "" && localPrincipal !== "" ? "MUTUAL_TLS" : "NONE";
    return make({
      ...kind,
      ...{ source, destination, peer },
      ...this.#service(destination),
      policy: isServer ? mutual : "unknown",
      port: port > 0 ? String(port) : "",
      evaluated: overrides.map((_, index) => this.#text(FIRST_OVERRIDE + index)),
    });
  }

  #service(destination: Side) {
    const { isServer, node, serviceName } = this.#parts;
    const facts = new ServiceFacts();
    facts.cluster = this.#tuples.text(CLUSTER);
    facts.route = this.#tuples.text(ROUTE);
    facts.host = this.#tuples.text(SERVICE_HOST);
    facts.name = this.#tuples.text(SERVICE_NAME);
    facts.namespace = this.#tuples.text(SERVICE_NAMESPACE);
    facts.authority = this.#tuples.text(AUTHORITY);
    const service = serviceOf(facts);
    const own = isServer ? node.canonicalService : "";
    return {
      serviceHost: fromByteString(service.host || own),
      serviceName: serviceName || fromByteString(service.name || own),
      serviceNamespace: fromByteString(isServer ? node.namespace : service.namespace || destination.namespace),
    };
  }

  #text(place: number): string | null {
    const text = this.#tuples.text(place);
    return text === null ? null : fromByteString(text);
  }
}
