import { Peer } from "./peer.ts";

/**
 * A peer's metadata are believed only as far as its certificate allows. What a peer says of itself that its
 * certificate's identity contradicts: `namespace` or `identity`; empty for nothing, or without a certificate.
 */
export function falseClaim(peer: Peer, principal: string): string {
  const namespace = namespaceOf(principal);
  if (namespace.length === 0) return "";
  if (peer.namespace.length > 0 && peer.namespace !== namespace) return "namespace";
  if (peer.identity.length > 0 && peer.identity !== principal) return "identity";
  return "";
}

/** `default` for `spiffe://domain/ns/default/sa/name`; empty for an identity of another shape. */
export function namespaceOf(principal: string): string {
  const at: i32 = principal.indexOf("/ns/");
  if (at < 0) return "";
  const end: i32 = principal.indexOf("/", at + 4);
  return end < 0 ? "" : principal.substring(at + 4, end);
}
