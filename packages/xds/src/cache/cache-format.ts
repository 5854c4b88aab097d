import { createHash } from "node:crypto";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import type { Any } from "@bufbuild/protobuf/wkt";
import { DeltaDiscoveryResponseSchema } from "@mixerless/wire/envoy/service/discovery/v3/discovery";

/*
 * The file: one line of JSON (what it is, whose, when, lengths and a checksum), then for each type one
 * DeltaDiscoveryResponse. Protocol messages, because their codec is there and they stay readable.
 */

const FORMAT = "mixerless-xds-cache/1";
const MAX_HEADER = 64 * 1024;

export interface CachedResource {
  readonly version: string;
  readonly any: Any;
}

/** Type URL → name → resource. */
export type CachedTypes = ReadonlyMap<string, ReadonlyMap<string, CachedResource>>;

export interface CacheContent {
  /** Id of the node whose resources these are. */
  readonly node: string;
  /** Milliseconds since the epoch. */
  readonly savedAt: number;
  readonly types: CachedTypes;
}

interface Header {
  readonly format: string;
  readonly node: string;
  readonly savedAt: number;
  readonly sha256: string;
  readonly sections: readonly number[];
}

export function encodeCache({ node, savedAt, types }: CacheContent): Buffer {
  const sections = Array.from(types, ([typeUrl, resources]) => encodeType(typeUrl, resources));
  const body = Buffer.concat(sections);
  const header: Header = {
    format: FORMAT,
    node,
    savedAt,
    sha256: checksum(body),
    sections: sections.map((section) => section.length),
  };
  return Buffer.concat([Buffer.from(`${JSON.stringify(header)}\n`), body]);
}

/** Reads a file's bytes, or says why they are not a cache of `node`. */
export function decodeCache(bytes: Buffer, node: string): CacheContent | { readonly fault: string } {
  const end = bytes.subarray(0, MAX_HEADER).indexOf(0x0a);
  const header = end < 0 ? null : parseHeader(bytes.toString("utf8", 0, end));
  if (header === null) return { fault: "it does not begin with the header of a cache" };
  if (header.format !== FORMAT) return { fault: `its format is ${JSON.stringify(header.format)}, not ${FORMAT}` };
  if (header.node !== node) return { fault: `it belongs to the node ${JSON.stringify(header.node)}` };
  const body = bytes.subarray(end + 1);
  if (checksum(body) !== header.sha256) return { fault: "its checksum is wrong; it was cut short or changed" };
  const types = decodeTypes(body, header.sections);
  if (types === null) return { fault: "its resources can't be decoded" };
  return { node, savedAt: header.savedAt, types };
}

function encodeType(typeUrl: string, resources: ReadonlyMap<string, CachedResource>): Uint8Array {
  const entries = Array.from(resources, ([name, { version, any }]) => ({ name, version, resource: any }));
  const message = create(DeltaDiscoveryResponseSchema, { typeUrl, resources: entries });
  return toBinary(DeltaDiscoveryResponseSchema, message);
}

function decodeTypes(body: Buffer, sections: readonly number[]): CachedTypes | null {
  const types = new Map<string, Map<string, CachedResource>>();
  let start = 0;
  try {
    for (const length of sections) {
      const message = fromBinary(DeltaDiscoveryResponseSchema, body.subarray(start, start + length));
      start += length;
      const resources = new Map<string, CachedResource>();
      for (const { name, version, resource: any } of message.resources) {
        if (any !== undefined) resources.set(name, { version, any });
      }
      types.set(message.typeUrl, resources);
    }
  } catch {
    return null;
  }
  return start === body.length ? types : null;
}

function parseHeader(line: string): Header | null {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return null;
  }
  if (typeof value !== "object" || value === null) return null;
  const { format, node, savedAt, sha256, sections } = value as Partial<Record<keyof Header, unknown>>;
  const lengths = Array.isArray(sections)
    ? sections.filter((length) => Number.isSafeInteger(length) && length >= 0)
    : [];
  if (typeof format !== "string" || typeof node !== "string" || typeof savedAt !== "number") return null;
  if (typeof sha256 !== "string" || !Array.isArray(sections) || lengths.length !== sections.length) return null;
  return { format, node, savedAt, sha256, sections: lengths };
}

function checksum(bytes: Buffer): string {
  return createHash("sha256").update(bytes).digest("hex");
}
