import { pipeline, Readable, type Transform } from "node:stream";
import * as zlib from "node:zlib";

/** A body that may have been compressed, and the name of how. */
export interface CodedBody {
  readonly body: AsyncIterable<Uint8Array>;
  readonly coding: "gzip" | "zstd" | null;
}

/** Node has it from 22.15 on. */
interface Newer {
  readonly createZstdCompress?: () => Transform;
}

/** Compresses a body as the Accept-Encoding header likes best; zstd among equals, where this Node has it. */
export function encodeBody(body: AsyncIterable<Uint8Array>, acceptEncoding: string | undefined): CodedBody {
  const { createZstdCompress } = zlib as Newer;
  const coding = chooseCoding(acceptEncoding ?? "", createZstdCompress === undefined ? ["gzip"] : ["zstd", "gzip"]);
  if (coding === null) return { body, coding };
  const zstd = coding === "zstd" ? createZstdCompress?.() : undefined;
  const compressor = zstd ?? zlib.createGzip({ level: 1 });
  // An error reaches the reader of the compressor, which the pipeline destroys with it.
  pipeline(Readable.from(body), compressor, () => {});
  return { body: compressor, coding };
}

/** The coding of `offered`, best first, that the header prefers; null for none. */
export function chooseCoding<T extends string>(header: string, offered: readonly T[]): T | null {
  let best: { coding: T; quality: number; rank: number } | null = null;
  for (const entry of header.slice(0, 1024).split(",").slice(0, 32)) {
    const [name = "", ...parameters] = entry.split(";").map((part) => part.trim().toLowerCase());
    const rank = (offered as readonly string[]).indexOf(name);
    const coding = offered[rank];
    if (coding === undefined) continue;
    const weight = parameters.find((parameter) => parameter.startsWith("q="));
    const quality = weight === undefined ? 1 : Number(weight.slice(2));
    if (!(quality > 0)) continue;
    if (best === null || quality > best.quality || (quality === best.quality && rank < best.rank))
      best = { coding, quality, rank };
  }
  return best?.coding ?? null;
}
