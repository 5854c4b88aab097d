import { DOWNSTREAM_PEER, UPSTREAM_PEER } from "@mixerless/extensions";
import { HeaderName, Property, StateName, type StreamContext } from "@mixerless/sdk";
import { fromByteString } from "./text.ts";

/** What is read from streams. One for each configuration: the two sides look at different connections. */
export class Attributes {
  readonly contentType = new HeaderName("content-type");
  readonly urlPath = new Property(["request", "url_path"]);
  readonly method = new Property(["request", "method"]);
  /** What a filter that names operations says of the request. */
  readonly operation = new Property(["istio_operationId"]);
  readonly duration = new Property(["request", "duration"]);
  readonly startTime = new Property(["request", "time"]);
  readonly received = new Property(["request", "total_size"]);
  readonly sent = new Property(["response", "total_size"]);
  readonly code = new Property(["response", "code"]);
  readonly flags = new Property(["response", "flags"]);
  readonly grpcStatus = new Property(["response", "grpc_status"]);
  readonly peer: StateName;
  readonly endpoint = new Property(["xds", "upstream_host_metadata", "filter_metadata", "istio", "workload"]);
  readonly statePeerPrincipal = new Property(["filter_state", "io.istio.peer_principal"]);
  readonly stateLocalPrincipal = new Property(["filter_state", "io.istio.local_principal"]);
  readonly peerPrincipal: Property;
  readonly localPrincipal: Property;
  readonly port: Property;
  readonly cluster = new Property(["xds", "cluster_name"]);
  readonly route = new Property(["xds", "route_name"]);
  readonly serviceHost = serviceProperty("host");
  readonly serviceName = serviceProperty("name");
  readonly serviceNamespace = serviceProperty("namespace");
  readonly authority = new Property(["request", "host"]);

  constructor(isServer: boolean) {
    const connection = isServer ? "connection" : "upstream";
    this.peer = new StateName(isServer ? DOWNSTREAM_PEER : UPSTREAM_PEER);
    this.peerPrincipal = new Property([connection, "uri_san_peer_certificate"]);
    this.localPrincipal = new Property([connection, "uri_san_local_certificate"]);
    this.port = new Property([isServer ? "destination" : "upstream", "port"]);
  }
}

/** The text of an attribute; "" where it is absent. */
export function textOf(stream: StreamContext, property: Property): string {
  const text = stream.getString(property);
  return text === null ? "" : fromByteString(text);
}

function serviceProperty(field: string): Property {
  return new Property(["xds", "cluster_metadata", "filter_metadata", "istio", "services", "0", field]);
}
