import type { MessageInitShape } from "@bufbuild/protobuf";
import type { TransportSocket } from "@mixerless/wire/envoy/config/core/v3/base";
import type {
  FilterChainMatchSchema,
  FilterChainSchema,
  FilterSchema,
} from "@mixerless/wire/envoy/config/listener/v3/listener_components";
import type { EffectiveMtls } from "../../model/effective-mtls.ts";
import type { Protocol } from "../../model/protocol.ts";
import type { GeneratorInput } from "../generator-input.ts";
import { isHttp } from "../is-http.ts";
import { hasOwnFilters } from "../telemetry-filters.ts";
import { FROM_MESH, FROM_MESH_HTTP, FROM_MESH_TCP, SERVED_HTTP, SERVED_TCP } from "../tls/alpn.ts";
import { inboundMtls } from "../tls/inbound-mtls.ts";

type Filters = MessageInitShape<typeof FilterSchema>[];
export type Chain = MessageInitShape<typeof FilterChainSchema>;

/** What becomes of the connections of an inbound port, by what is spoken in them. */
export interface InboundFilters {
  readonly http: () => Filters;
  /** `mesh`: from clients that may tell who they are. */
  readonly tcp: (mesh: boolean) => Filters;
}

const TLS = { transportProtocol: "tls" };
const CLEAR = { transportProtocol: "raw_buffer" };

/**
 * The chains of an inbound port [control-plane §4.5]. What a port that takes both does with a connection is told
 * by what its ClientHello offers: the mesh's own names, or anything else, which is the application's own TLS.
 * Without capture nothing is sniffed, so plaintext of an unknown protocol is TCP.
 */
export function inboundChains(
  name: string,
  protocol: Protocol,
  mode: EffectiveMtls,
  input: GeneratorInput,
  filters: InboundFilters,
): Chain[] {
  const chain = (match: MessageInitShape<typeof FilterChainMatchSchema> | null, own: Filters): Chain => ({
    name,
    ...(match === null ? {} : { filterChainMatch: match }),
    filters: own,
  });
  const secured = (
    match: MessageInitShape<typeof FilterChainMatchSchema>,
    own: Filters,
    served: readonly string[],
  ): Chain => ({
    ...chain(match, own),
    transportSocket: inboundMtls(input, served),
  });
  const servedTcp = hasOwnFilters(input) ? SERVED_TCP : SERVED_HTTP;
  const offering = (applicationProtocols: string[]) => ({ ...TLS, applicationProtocols });
  if (mode === "DISABLE") return [chain(null, isHttp(protocol) ? filters.http() : filters.tcp(false))];
  const strict = mode === "STRICT";
  if (isHttp(protocol)) {
    const mesh = secured(strict ? TLS : offering(FROM_MESH), filters.http(), SERVED_HTTP);
    return strict ? [mesh] : [mesh, chain(CLEAR, filters.http())];
  }
  const http = protocol === "auto" ? [secured(offering(FROM_MESH_HTTP), filters.http(), SERVED_HTTP)] : [];
  if (strict) return [...http, secured(TLS, filters.tcp(true), servedTcp)];
  const offered = protocol === "auto" ? FROM_MESH_TCP : FROM_MESH;
  return [
    ...http,
    secured(offering(offered), filters.tcp(true), servedTcp),
    chain(CLEAR, filters.tcp(false)),
    chain(TLS, filters.tcp(false)),
  ];
}

/** The only chain of a port whose TLS the Sidecar describes; plaintext is not let in. */
export function ownTlsChain(name: string, protocol: Protocol, socket: TransportSocket, filters: InboundFilters): Chain {
  const own = protocol === "HTTPS" ? filters.http() : filters.tcp(false);
  return { name, filterChainMatch: TLS, transportSocket: socket, filters: own };
}
