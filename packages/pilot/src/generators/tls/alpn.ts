/**
 * What a client of the mesh offers, and a server's filter chains tell apart [control-plane §4.5, §4.7]. Upstream
 * puts the protocol into the offer with a filter, `istio.alpn`; a stock Envoy has none, so here clusters say it
 * themselves [control-plane §0]. The plain name at the end is what both ends then speak.
 */
export const MESH_HTTP = ["istio-http/1.1", "istio", "http/1.1"];
export const MESH_TCP = ["istio"];
/** Of proxies that tell each other who they are at the beginning of a TCP connection: never a stock Envoy. */
export const MESH_TCP_EXCHANGE = ["istio-peer-exchange", "istio"];

/** By these a port that takes both tells the mesh's TLS from what a client speaks end to end with the application. */
export const FROM_MESH = ["istio", "istio-peer-exchange", "istio-http/1.0", "istio-http/1.1", "istio-h2"];
export const FROM_MESH_HTTP = ["istio-http/1.0", "istio-http/1.1", "istio-h2"];
export const FROM_MESH_TCP = ["istio-peer-exchange", "istio"];

/** What servers choose from, by what is spoken inside. */
export const SERVED_HTTP = ["h2", "http/1.1"];
export const SERVED_TCP = ["istio-peer-exchange", "h2", "http/1.1"];
