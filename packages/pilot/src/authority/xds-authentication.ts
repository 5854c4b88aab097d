import type { Clock } from "@mixerless/clock";
import { formatSpiffeId, IdentityError, type JoinTokens, readCertificate } from "@mixerless/identity";
import { type PeerIdentity, StatusCode, type XdsServerOptions } from "@mixerless/xds";
import { bearerOf } from "./bearer.ts";

type Authenticate = NonNullable<XdsServerOptions["authenticate"]>;
type Peer = Parameters<Authenticate>[0];

export interface XdsAuthenticationOptions {
  readonly tokens: Pick<JoinTokens, "peek">;
  readonly trustDomain: string;
  readonly clock: Clock;
}

const LOOPBACK = /^(127\.\d+\.\d+\.\d+|\[?::1\]?|\[?::ffff:127\.\d+\.\d+\.\d+\]?):\d+$/;

/**
 * Who asks for configuration [control-plane §5.2]: on the secure port the bearer of a certificate of this mesh, or of
 * a join token that is not used yet. In clear nobody can prove anything, so only this machine may ask.
 */
export function authenticateXds(options: XdsAuthenticationOptions): Authenticate {
  return (peer) => {
    if (!peer.secure) return LOOPBACK.test(peer.address) ? null : refused("beyond loopback TLS is needed");
    try {
      return identityOf(peer, options);
    } catch (error) {
      if (error instanceof IdentityError) return refused(error.message);
      throw error;
    }
  };
}

function identityOf(peer: Peer, { tokens, trustDomain, clock }: XdsAuthenticationOptions): PeerIdentity {
  if (peer.certificate !== null) {
    const { identity, serial, notAfter } = readCertificate(peer.certificate);
    if (identity === null || identity.trustDomain !== trustDomain)
      throw new IdentityError("bad-certificate", "peer", `The certificate names no workload of ${trustDomain}.`);
    if (notAfter <= clock.now()) throw new IdentityError("bad-certificate", "peer", "The certificate has expired.");
    return { names: [formatSpiffeId(identity)], certificate: { serial, notAfter, raw: peer.certificate } };
  }
  const token = bearerOf(peer.metadata("authorization"));
  if (token === null)
    throw new IdentityError("bad-join-token", "peer", "There is neither a certificate of this mesh nor a join token.");
  const { namespace, serviceAccount } = tokens.peek(token);
  return { names: [formatSpiffeId({ trustDomain, namespace, serviceAccount })] };
}

function refused(why: string) {
  return { code: StatusCode.unauthenticated, message: why };
}
