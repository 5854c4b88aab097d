import type { JwtRule } from "../config/kinds/security.ts";

/** Where the keys of an issuer are to be had, when they are not written in the rule. */
export interface KeySetSource {
  /** Of the key set, or of a discovery document that names it. Also what the keys are remembered by. */
  readonly url: string;
  readonly discovery: boolean;
}

/** Null for keys in the rule itself. Without either, OpenID Connect says where an issuer publishes them [control-plane §6.5]. */
export function keySetSource({ issuer, jwks, jwksUri }: JwtRule): KeySetSource | null {
  if (jwks !== "") return null;
  if (jwksUri !== "") return { url: jwksUri, discovery: false };
  return { url: `${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`, discovery: true };
}
