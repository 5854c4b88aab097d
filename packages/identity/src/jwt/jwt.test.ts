import { createHmac, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { exportJWK, generateKeyPair, generateSecret, type JWK, SignJWT } from "jose";
import { describe, expect, it } from "vitest";
import { readJwt } from "./json-web-token.ts";
import type { JwtStatus } from "./jwt-status.ts";
import { KeySet } from "./key-set.ts";

const CLAIMS = { iss: "https://issuer", sub: "ann", aud: ["shop", "bank"], exp: 4_000_000_000 };

function keySet(...keys: readonly object[]): KeySet {
  const set = KeySet.read(JSON.stringify({ keys }));
  if (typeof set === "string") throw new Error(set);
  return set;
}

function check(token: string, set: KeySet): JwtStatus | null {
  const read = readJwt(token);
  return typeof read === "string" ? read : set.verify(read);
}

function encoded(value: unknown): string {
  return Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");
}

function written(header: unknown, payload: unknown, signature = "AAAA"): string {
  return `${encoded(header)}.${encoded(payload)}.${signature}`;
}

async function pair(alg: string, kid?: string): Promise<{ sign: (claims?: object) => Promise<string>; jwk: JWK }> {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
  const jwk = { ...(await exportJWK(publicKey)), ...(kid !== undefined && { kid }) };
  const header = { alg, ...(kid !== undefined && { kid }) };
  const sign = (claims: object = CLAIMS) => new SignJWT({ ...claims }).setProtectedHeader(header).sign(privateKey);
  return { sign, jwk };
}

describe("signatures that another library made", () => {
  it.each([...["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"], ...["ES256", "ES384", "ES512", "EdDSA"]])(
    "%s: its own key only",
    async (alg) => {
      const [one, other] = [await pair(alg), await pair(alg)];
      const token = await one.sign();
      expect(check(token, keySet(other.jwk, one.jwk))).toBeNull();
      expect(check(token, keySet(other.jwk))).toBe("verification-failed");
      const [head, , signature] = token.split(".");
      expect(check(`${head}.${encoded({ ...CLAIMS, sub: "eve" })}.${signature}`, keySet(one.jwk))).toBe(
        "verification-failed",
      );
    },
  );

  it.each(["HS256", "HS384", "HS512"])("%s: its own secret only", async (alg) => {
    const jwk = await exportJWK(await generateSecret(alg, { extractable: true }));
    const token = await new SignJWT({ ...CLAIMS })
      .setProtectedHeader({ alg })
      .sign(Buffer.from(jwk.k ?? "", "base64url"));
    expect(check(token, keySet(jwk))).toBeNull();
    expect(check(token, keySet({ ...jwk, k: encoded("another secret") }))).toBe("verification-failed");
  });
});

describe("keys", () => {
  it("are chosen by kid where both name one, and by alg", async () => {
    const [old, fresh] = [await pair("RS256", "old"), await pair("RS256", "fresh")];
    const token = await fresh.sign();
    expect(check(token, keySet(old.jwk, fresh.jwk))).toBeNull();
    expect(check(token, keySet(old.jwk))).toBe("no-matching-key");
    expect(check(token, keySet({ ...fresh.jwk, kid: undefined }))).toBeNull();
    expect(check(token, keySet({ ...fresh.jwk, alg: "RS512" }))).toBe("no-matching-key");
    expect(check(token, keySet({ ...fresh.jwk, alg: "RS256", use: "sig" }))).toBeNull();
  });

  it("never serve another kind of algorithm: a public key is no secret", () => {
    const { publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const pem = publicKey.export({ type: "spki", format: "pem" });
    const signed = `${encoded({ alg: "HS256" })}.${encoded(CLAIMS)}`;
    for (const secret of [pem, Buffer.from(JSON.stringify(jwkOf(publicKey)))]) {
      const forged = `${signed}.${createHmac("sha256", secret).update(signed).digest("base64url")}`;
      expect(check(forged, keySet(jwkOf(publicKey)))).toBe("verification-failed");
    }
  });

  it("of another curve do not serve", async () => {
    const [p256, p384] = [await pair("ES256"), await pair("ES384")];
    expect(check(await p384.sign(), keySet(p256.jwk))).toBe("verification-failed");
  });

  it.each([
    ["RS256", "P-256", "der"],
    ["ES256", "secp256k1", "ieee-p1363"],
    ["EdDSA", "P-256", "ieee-p1363"],
  ] as const)(
    "serve no other kind, even where the signature would fit: %s by a key of %s",
    (alg, namedCurve, dsaEncoding) => {
      const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve });
      const signed = `${encoded({ alg })}.${encoded(CLAIMS)}`;
      const signature = sign("sha256", Buffer.from(signed), { key: privateKey, dsaEncoding }).toString("base64url");
      expect(check(`${signed}.${signature}`, keySet(jwkOf(publicKey)))).toBe("verification-failed");
    },
  );

  it("that are not known, broken, weak or not for signatures are left out", async () => {
    const { jwk, sign } = await pair("RS256");
    const weak = jwkOf(generateKeyPairSync("rsa", { modulusLength: 512 }).publicKey);
    const rest = [
      null,
      5,
      {},
      { kty: "new" },
      { kty: "RSA", n: "AQAB" },
      { kty: "EC", crv: "P-256" },
      { kty: "oct", k: "" },
    ];
    expect(check(await sign(), keySet(...(rest as object[]), jwk))).toBeNull();
    for (const useless of [...rest, weak, { ...jwk, use: "enc" }])
      expect(KeySet.read(JSON.stringify({ keys: [useless] }))).toBe("it holds no usable public key");
  });

  it("keep nothing private", async () => {
    const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const jwk = privateKey.export({ format: "jwk" });
    const token = await new SignJWT({ ...CLAIMS }).setProtectedHeader({ alg: "RS256" }).sign(privateKey);
    expect(check(token, keySet(jwk))).toBeNull();
  });

  it.each([
    ["", "it is no JSON"],
    ["[]", 'it has no list "keys"'],
    ['{"keys":{}}', 'it has no list "keys"'],
    ["null", 'it has no list "keys"'],
    [JSON.stringify({ keys: Array(201).fill({}) }), "it holds more than 200 keys"],
    [" ".repeat(1024 * 1024 + 1), "it is longer than 1048576 characters"],
  ])("of a text that is no key set: what is wrong", (text, problem) => {
    expect(KeySet.read(text)).toBe(problem);
  });
});

describe("a token", () => {
  const HEAD = { alg: "RS256" };

  it.each<[status: JwtStatus, token: string]>([
    ["bad-format", ""],
    ["bad-format", "a.b"],
    ["bad-format", "a.b.c.d"],
    ["bad-format", `${encoded({ alg: "none" })}.${encoded(CLAIMS)}.`],
    ["header-base64", "a+b.e30.AAAA"],
    ["header-base64", "AAAAA.e30.AAAA"],
    ["header-json", written("{", {})],
    ["header-json", written([], {})],
    ["header-alg", written({}, {})],
    ["header-alg", written({ alg: 5 }, {})],
    ["unsupported-alg", written({ alg: "none" }, CLAIMS)],
    ["unsupported-alg", written({ alg: "NONE" }, CLAIMS)],
    ["unsupported-alg", written({ alg: "rs256" }, CLAIMS)],
    ["unsupported-alg", written({ alg: "constructor" }, CLAIMS)],
    ["header-kid", written({ ...HEAD, kid: 5 }, {})],
    ["header-crit", written({ ...HEAD, crit: ["b64"] }, {})],
    ["payload-base64", `${encoded(HEAD)}.=.AAAA`],
    ["payload-json", written(HEAD, "x")],
    ["payload-json", written(HEAD, "null")],
    ["bad-iss", written(HEAD, { iss: 1 })],
    ["bad-sub", written(HEAD, { sub: ["x"] })],
    ["bad-iat", written(HEAD, { iat: "1" })],
    ["nbf-out-of-range", written(HEAD, { nbf: -1 })],
    ["exp-out-of-range", written(HEAD, { exp: 1e300 })],
    ["bad-exp", written(HEAD, { exp: null })],
    ["bad-jti", written(HEAD, { jti: {} })],
    ["bad-aud", written(HEAD, { aud: ["x", 5] })],
    ["signature-base64", written(HEAD, {}, "A*")],
    ["signature-base64", written(HEAD, {}, "AB")],
    ["too-large", written(HEAD, { x: "x".repeat(32 * 1024) })],
  ])("%s: %.60s", (status, token) => {
    expect(readJwt(token)).toBe(status);
  });

  it("that is right is read whole", () => {
    const read = readJwt(written({ ...HEAD, kid: "k" }, { ...CLAIMS, exp: 12.9, aud: "shop" }));
    expect(read).toMatchObject({
      ...{ issuer: "https://issuer", subject: "ann", audiences: ["shop"], keyId: "k" },
      ...{ expires: 12, notBefore: null, issuedAt: null },
    });
  });
});

function jwkOf(key: KeyObject): object {
  return key.export({ format: "jwk" });
}
