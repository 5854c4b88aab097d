import { constants, createHmac, type KeyObject, timingSafeEqual, verify } from "node:crypto";

/** One way to sign, and the only kind of key that may be used with it. */
export interface SignatureAlgorithm {
  /** `alg` of tokens and keys. */
  readonly name: string;
  /** `kty` of a key, and `crv` where the algorithm fixes it. */
  readonly keyType: "RSA" | "EC" | "oct" | "OKP";
  readonly curve: string | null;
  verify(key: KeyObject, data: string, signature: Buffer): boolean;
}

/** Envoy's list. "none" is not on it, and a name from a token finds nothing but own entries. */
const ALGORITHMS: ReadonlyMap<string, SignatureAlgorithm> = new Map(
  [
    rsa("RS256", "sha256"),
    rsa("RS384", "sha384"),
    rsa("RS512", "sha512"),
    pss("PS256", "sha256"),
    pss("PS384", "sha384"),
    pss("PS512", "sha512"),
    ecdsa("ES256", "sha256", "P-256", 64),
    ecdsa("ES384", "sha384", "P-384", 96),
    ecdsa("ES512", "sha512", "P-521", 132),
    hmac("HS256", "sha256"),
    hmac("HS384", "sha384"),
    hmac("HS512", "sha512"),
    ed25519("EdDSA"),
  ].map((algorithm) => [algorithm.name, algorithm]),
);

/** The algorithm of that name; undefined for what is not supported. */
export function signatureAlgorithm(name: string): SignatureAlgorithm | undefined {
  return ALGORITHMS.get(name);
}

function rsa(name: string, hash: string): SignatureAlgorithm {
  return {
    name,
    keyType: "RSA",
    curve: null,
    verify: (key, data, signature) => verify(hash, Buffer.from(data), key, signature),
  };
}

function pss(name: string, hash: string): SignatureAlgorithm {
  const padding = constants.RSA_PKCS1_PSS_PADDING;
  const saltLength = constants.RSA_PSS_SALTLEN_DIGEST;
  return {
    name,
    keyType: "RSA",
    curve: null,
    verify: (key, data, signature) => verify(hash, Buffer.from(data), { key, padding, saltLength }, signature),
  };
}

/** JWS writes both numbers with their full length, one after the other (RFC 7518 §3.4). */
function ecdsa(name: string, hash: string, curve: string, length: number): SignatureAlgorithm {
  return {
    name,
    keyType: "EC",
    curve,
    verify: (key, data, signature) =>
      signature.length === length && verify(hash, Buffer.from(data), { key, dsaEncoding: "ieee-p1363" }, signature),
  };
}

function hmac(name: string, hash: string): SignatureAlgorithm {
  return {
    name,
    keyType: "oct",
    curve: null,
    verify: (key, data, signature) => {
      const wanted = createHmac(hash, key).update(data).digest();
      return wanted.length === signature.length && timingSafeEqual(wanted, signature);
    },
  };
}

function ed25519(name: string): SignatureAlgorithm {
  return {
    name,
    keyType: "OKP",
    curve: "Ed25519",
    verify: (key, data, signature) => signature.length === 64 && verify(null, Buffer.from(data), key, signature),
  };
}
