import { createPrivateKey, createPublicKey, createSign, createVerify, type KeyObject } from "node:crypto";
import { bytesField, encodeFields, type Field, parseFields } from "../encoding/protobuf.ts";
import { Status } from "../hostcalls/status.ts";
import { answerBytes, answerStatus, type BuiltInFunction } from "./function.ts";

const HASHES = new Set(["sha1", "sha224", "sha256", "sha384", "sha512"]);
/** A signature takes far longer than other calls. */
const WORK = 500;

/** { 1 hash, 2 public key DER, 3 signature, 4 text, 5 public key PEM } → { 1 result, 2 error }. */
export const verifySignature: BuiltInFunction = (vm, argument) => {
  const fields = parseFields(argument);
  const key = fields === null ? null : keyOf(fields, 2, 5);
  if (fields === null || key === null) return answerStatus(Status.BadArgument);
  vm.work -= WORK;
  const hash = hashOf(fields);
  if (!HASHES.has(hash)) return verdict(false, `${hash} is not supported.`);
  try {
    const publicKey = createPublicKey(key.pem ? { key: key.bytes, format: "pem" } : der(key.bytes, "spki"));
    const matches = createVerify(hash).update(bytesField(fields, 4)).verify(publicKey, bytesField(fields, 3));
    return matches ? verdict(true, "") : verdict(false, "Failed to verify digital signature.");
  } catch {
    return verdict(false, "Failed to initialize digest verify.");
  }
};

/** { 1 hash, 2 private key DER, 3 text, 4 private key PEM } → { 1 result, 2 signature, 3 error }. */
export const sign: BuiltInFunction = (vm, argument) => {
  const fields = parseFields(argument);
  const key = fields === null ? null : keyOf(fields, 2, 4);
  if (fields === null || key === null) return answerStatus(Status.BadArgument);
  vm.work -= WORK;
  const hash = hashOf(fields);
  if (!HASHES.has(hash)) return signed(null, `${hash} is not supported.`);
  try {
    const signature = createSign(hash).update(bytesField(fields, 3)).sign(privateKey(key));
    return signed(signature, "");
  } catch {
    return signed(null, "Failed to create digital signature.");
  }
};

interface Key {
  readonly bytes: Buffer;
  readonly pem: boolean;
}

/** Exactly one of the two forms has to be there. */
function keyOf(fields: readonly Field[], derField: number, pemField: number): Key | null {
  const derKey = bytesField(fields, derField);
  const pemKey = bytesField(fields, pemField);
  if (derKey.length > 0 === pemKey.length > 0) return null;
  return derKey.length > 0 ? { bytes: Buffer.from(derKey), pem: false } : { bytes: Buffer.from(pemKey), pem: true };
}

function der(key: Buffer, type: "spki") {
  return { key, format: "der" as const, type };
}

function privateKey({ bytes, pem }: Key): KeyObject {
  if (pem) return createPrivateKey({ key: bytes, format: "pem" });
  try {
    return createPrivateKey({ key: bytes, format: "der", type: "pkcs8" });
  } catch {
    return createPrivateKey({ key: bytes, format: "der", type: "pkcs1" });
  }
}

function hashOf(fields: readonly Field[]): string {
  return bytesField(fields, 1).toString("latin1");
}

function verdict(result: boolean, error: string) {
  return answerBytes(
    encodeFields([
      [1, result],
      [2, Buffer.from(error)],
    ]),
  );
}

function signed(signature: Buffer | null, error: string) {
  return answerBytes(
    encodeFields([
      [1, signature !== null],
      [2, signature ?? Buffer.alloc(0)],
      [3, Buffer.from(error)],
    ]),
  );
}
