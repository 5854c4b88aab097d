import type { TlsInfo } from "../../transport/transport.ts";
import { type AttributeFamily, type AttributeReader, type AttributeValue, descend, fields } from "./attribute.ts";

/** `source.…`: who asks. */
export const SOURCE: AttributeFamily = fields({
  address: (info) => info.remoteAddress.text,
  port: (info) => info.remoteAddress.port,
});

/** `destination.…`: the address of this proxy that was asked. */
export const DESTINATION: AttributeFamily = fields({
  address: (info) => info.downstream.localAddress.text,
  port: (info) => info.downstream.localAddress.port,
});

/** `connection.…`: the downstream connection. Certificate facts as far as {@link TlsInfo} has them. */
export const CONNECTION: AttributeFamily = fields({
  id: (info) => info.downstream.id,
  mtls: (info) => info.downstream.tls?.peerCertificatePresented ?? false,
  requested_server_name: (info) => info.downstream.requestedServerName,
  tls_version: (info) => info.downstream.tls?.version,
  subject_local_certificate: (info) => info.downstream.tls?.subjectLocal,
  subject_peer_certificate: (info) => info.downstream.tls?.subjectPeer,
  uri_san_local_certificate: (info) => firstLocalUri(info.downstream.tls),
  uri_san_peer_certificate: (info) => firstPeerUri(info.downstream.tls),
  dns_san_peer_certificate: (info) => info.downstream.tls?.dnsSanPeer[0],
  sha256_peer_certificate_digest: (info) => info.downstream.tls?.fingerprintPeer,
  termination_details: (info) => info.connectionTerminationDetails,
});

/** `upstream.…`: the host and the connection to it. */
export const UPSTREAM: AttributeFamily = (rest) =>
  rest[0] === "locality" ? localityReader(rest) : UPSTREAM_FIELDS(rest);

/** A Locality, by the names of its fields. */
function localityReader(path: readonly string[]): AttributeReader {
  return ({ info }) => {
    const locality = info?.upstreamHost?.locality;
    if (locality === undefined) return null;
    const { region, zone, subZone } = locality;
    return descend({ region, zone, sub_zone: subZone }, path, 1);
  };
}

const UPSTREAM_FIELDS: AttributeFamily = fields({
  address: (info) => info.upstreamHost?.address.text,
  port: (info) => info.upstreamHost?.address.port,
  local_address: (info) => info.upstreamConnection?.localAddress.text,
  tls_version: (info) => info.upstreamConnection?.tls?.version,
  subject_local_certificate: (info) => info.upstreamConnection?.tls?.subjectLocal,
  subject_peer_certificate: (info) => info.upstreamConnection?.tls?.subjectPeer,
  uri_san_local_certificate: (info) => firstLocalUri(info.upstreamConnection?.tls),
  uri_san_peer_certificate: (info) => firstPeerUri(info.upstreamConnection?.tls),
  dns_san_peer_certificate: (info) => info.upstreamConnection?.tls?.dnsSanPeer[0],
  sha256_peer_certificate_digest: (info) => info.upstreamConnection?.tls?.fingerprintPeer,
  transport_failure_reason: (info) => info.upstreamTransportFailure,
  request_attempt_count: (info) => info.attemptCount,
  cx_pool_ready_duration: (info) => {
    if (info.upstreamConnected === null) return null;
    return Math.floor((info.upstreamConnected - info.started) * 1e6);
  },
});

function firstLocalUri(tls: TlsInfo | null | undefined): AttributeValue {
  return tls?.uriSanLocal[0];
}

function firstPeerUri(tls: TlsInfo | null | undefined): AttributeValue {
  return tls?.uriSanPeer[0];
}
