import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { chooseCoding, encodeBody } from "./content-coding.ts";

async function* body() {
  yield Buffer.from("a 1\n");
  yield Buffer.from("b 2\n");
}

describe("the coding of an answer", () => {
  it.each([
    ["gzip", "gzip"],
    ["zstd", "zstd"],
    ["gzip, zstd", "zstd"],
    ["gzip;q=1.0, zstd;q=0.5", "gzip"],
    ["br, lz4", null],
    ["gzip;q=0", null],
    ["", null],
  ])("by %j is %s", (header, expected) => {
    expect(chooseCoding(header, ["zstd", "gzip"])).toBe(expected);
  });

  it("is what the bytes are in", async () => {
    const { body: coded, coding } = encodeBody(body(), "gzip");
    const pieces: Uint8Array[] = [];
    for await (const piece of coded) pieces.push(piece);
    expect([coding, gunzipSync(Buffer.concat(pieces)).toString()]).toEqual(["gzip", "a 1\nb 2\n"]);
  });
});
