import type { StreamInfo } from "../../../stream/stream-info.ts";
import type { TlsInfo } from "../../../transport/transport.ts";
import { type Operator, type OperatorTable, plain } from "../operator.ts";

type Side = (info: StreamInfo) => TlsInfo | null | undefined;

const downstream: Side = (info) => info.downstream.tls;
const upstream: Side = (info) => info.upstreamConnection?.tls;

/** Facts of the handshakes, as far as {@link TlsInfo} carries them; the rest of Envoy's TLS operators give `-`. */
export const TLS_OPERATORS: OperatorTable = {
  DOWNSTREAM_LOCAL_URI_SAN: plain(read(downstream, (tls) => tls.uriSanLocal.join(","))),
  DOWNSTREAM_PEER_URI_SAN: plain(read(downstream, (tls) => tls.uriSanPeer.join(","))),
  DOWNSTREAM_LOCAL_SUBJECT: plain(read(downstream, (tls) => tls.subjectLocal)),
  DOWNSTREAM_PEER_SUBJECT: plain(read(downstream, (tls) => tls.subjectPeer)),
  DOWNSTREAM_TLS_VERSION: plain(read(downstream, (tls) => tls.version)),
  UPSTREAM_LOCAL_URI_SAN: plain(read(upstream, (tls) => tls.uriSanLocal.join(","))),
  UPSTREAM_PEER_URI_SAN: plain(read(upstream, (tls) => tls.uriSanPeer.join(","))),
  UPSTREAM_LOCAL_SUBJECT: plain(read(upstream, (tls) => tls.subjectLocal)),
  UPSTREAM_PEER_SUBJECT: plain(read(upstream, (tls) => tls.subjectPeer)),
  UPSTREAM_TLS_VERSION: plain(read(upstream, (tls) => tls.version)),
  ...absent(
    "DOWNSTREAM_LOCAL_DNS_SAN DOWNSTREAM_PEER_DNS_SAN DOWNSTREAM_LOCAL_IP_SAN DOWNSTREAM_PEER_IP_SAN DOWNSTREAM_PEER_ISSUER DOWNSTREAM_TLS_SESSION_ID DOWNSTREAM_TLS_CIPHER DOWNSTREAM_PEER_FINGERPRINT_256 DOWNSTREAM_PEER_FINGERPRINT_1 DOWNSTREAM_PEER_SERIAL DOWNSTREAM_PEER_CERT DOWNSTREAM_PEER_CERT_V_START DOWNSTREAM_PEER_CERT_V_END UPSTREAM_PEER_ISSUER UPSTREAM_PEER_DNS_SAN UPSTREAM_PEER_IP_SAN UPSTREAM_PEER_CERT UPSTREAM_PEER_CERT_V_START UPSTREAM_PEER_CERT_V_END UPSTREAM_LOCAL_DNS_SAN UPSTREAM_LOCAL_IP_SAN UPSTREAM_TLS_SESSION_ID UPSTREAM_TLS_CIPHER TLS_JA3_FINGERPRINT TLS_JA4_FINGERPRINT",
  ),
};

function read(side: Side, value: (tls: TlsInfo) => string | null): Operator {
  return (info) => {
    const tls = side(info);
    return tls ? value(tls) || null : null;
  };
}

function absent(names: string): OperatorTable {
  return Object.fromEntries(names.split(" ").map((name) => [name, () => () => null]));
}
