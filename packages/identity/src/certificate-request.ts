import { generateKeyPair, sign } from "node:crypto";
import { promisify } from "node:util";
import { formatSpiffeId, type SpiffeId } from "./spiffe-id.ts";

/** A new key and the request for its certificate, both PEM. The key is PKCS #8 and meant to stay in memory. */
export interface KeyAndRequest {
  readonly key: string;
  readonly csr: string;
}

const generate = promisify(generateKeyPair);

const SEQUENCE = 0x30;
const SET = 0x31;
const OCTET_STRING = 0x04;
const BIT_STRING = 0x03;
const ATTRIBUTES = 0xa0;
const UNIFORM_RESOURCE_IDENTIFIER = 0x86;
const VERSION_1 = Buffer.from("020100", "hex");
const TRUE = Buffer.from("0101ff", "hex");
const EXTENSION_REQUEST = Buffer.from("06092a864886f70d01090e", "hex");
const SUBJECT_ALTERNATIVE_NAME = Buffer.from("0603551d11", "hex");
const ECDSA_WITH_SHA256 = Buffer.from("06082a8648ce3d040302", "hex");

/**
 * Makes an EC P-256 key and asks for a certificate of `id` with it (PKCS #10, RFC 2986). Written out by hand, because every
 * workload's agent does this, and a library for certificates would stay in the memory of each: 17 MB.
 */
export async function createKeyAndRequest(id: SpiffeId): Promise<KeyAndRequest> {
  const { publicKey, privateKey } = await generate("ec", { namedCurve: "P-256" });
  const names = der(SEQUENCE, der(UNIFORM_RESOURCE_IDENTIFIER, Buffer.from(formatSpiffeId(id), "latin1")));
  const extensions = der(SEQUENCE, der(SEQUENCE, SUBJECT_ALTERNATIVE_NAME, TRUE, der(OCTET_STRING, names)));
  const nobody = der(SEQUENCE);
  const asked = der(
    SEQUENCE,
    VERSION_1,
    nobody,
    publicKey.export({ type: "spki", format: "der" }),
    der(ATTRIBUTES, der(SEQUENCE, EXTENSION_REQUEST, der(SET, extensions))),
  );
  const signature = der(BIT_STRING, Buffer.from([0]), sign("sha256", asked, privateKey));
  const request = der(SEQUENCE, asked, der(SEQUENCE, ECDSA_WITH_SHA256), signature);
  return { key: privateKey.export({ type: "pkcs8", format: "pem" }).toString(), csr: pem(request) };
}

/** One value of ASN.1's distinguished encoding: tag, length, content. */
function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  if (length < 0x80) return Buffer.concat([Buffer.from([tag, length]), content]);
  const digits = length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...digits]), content]);
}

function pem(bytes: Buffer): string {
  const lines = bytes.toString("base64").match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE REQUEST-----\n${lines.join("\n")}\n-----END CERTIFICATE REQUEST-----\n`;
}
