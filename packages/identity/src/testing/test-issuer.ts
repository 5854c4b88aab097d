import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";

/** Issues tokens for tests, with a key of its own: ES256, which is made in no time. */
export class TestIssuer {
  readonly issuer: string;
  readonly keyId: string;
  readonly #private: KeyObject;
  readonly #public: KeyObject;

  constructor(issuer: string, keyId = "key-1") {
    const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    this.issuer = issuer;
    this.keyId = keyId;
    this.#private = privateKey;
    this.#public = publicKey;
  }

  /** As it stands in a key set. */
  get jwk(): Readonly<Record<string, unknown>> {
    return { ...this.#public.export({ format: "jwk" }), kid: this.keyId };
  }

  /** The text of a key set with this key. */
  get jwks(): string {
    return JSON.stringify({ keys: [this.jwk] });
  }

  /** A token of this issuer; a claim that is undefined is left out. */
  token(claims: Readonly<Record<string, unknown>> = {}, header: Readonly<Record<string, unknown>> = {}): string {
    const head = encoded({ alg: "ES256", kid: this.keyId, ...header });
    const signed = `${head}.${encoded({ iss: this.issuer, sub: "ann", ...claims })}`;
    const signature = sign("sha256", Buffer.from(signed), { key: this.#private, dsaEncoding: "ieee-p1363" });
    return `${signed}.${signature.toString("base64url")}`;
  }
}

function encoded(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}
