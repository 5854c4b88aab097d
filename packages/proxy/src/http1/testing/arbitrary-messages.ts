import fc from "fast-check";

// Parts of HTTP/1.1 messages, mostly sound ones: what nobody accepts teaches nothing about how it is understood.

export const lineEnds = fc.oneof(
  { weight: 40, arbitrary: fc.constant("\r\n") },
  { weight: 1, arbitrary: fc.constantFrom("\n", "\r", "\r\r\n", "\r\n ", "\n\r\n", "\r\n\t") },
);
const names = fc.constantFrom("x", "X-Two", "accept", "cookie", "x_y", "content-type", "x-a.b~c!#$%&'*+^`|");
const values = fc.constantFrom("", "1", " 1 ", "\t1\t", "a, b", "caf\xe9", "\x80\xff", "x:y", "a  b", "0", "chunked");
const plainField = fc.tuple(names, values).map(([name, value]) => `${name}:${value}`);
const framingField = fc.constantFrom(
  "content-length: 3",
  "Content-Length:3",
  "content-length: 0",
  "content-length: 03",
  "content-length: +3",
  "content-length: 3, 3",
  "content-length: 4",
  "content-length : 3",
  "transfer-encoding: chunked",
  "Transfer-Encoding:  Chunked ",
  "transfer-encoding: gzip, chunked",
  "transfer-encoding: chunked, identity",
  "transfer-encoding: identity",
  "transfer-encoding:\x0bchunked",
  "transfer-encoding : chunked",
  "transfer-encoding",
  "connection: close",
  "connection: keep-alive, x",
  "connection: transfer-encoding",
  "connection: content-length",
  "te: trailers",
  "trailer: x",
  "host: b",
);
export const fields = fc.array(fc.oneof({ weight: 3, arbitrary: plainField }, { weight: 1, arbitrary: framingField }), {
  maxLength: 5,
});
const chunkSizes = fc.constantFrom("3", "03", "3;a=b", "3 ", "0x3", "+3", "3;", " 3", "3\t", "A", "fffffffffffffffff");
const chunk = fc.oneof(
  { weight: 10, arbitrary: fc.constant("3\r\nabc\r\n") },
  { weight: 1, arbitrary: fc.tuple(chunkSizes, lineEnds, lineEnds).map(([size, a, b]) => `${size}${a}abc${b}`) },
);
const trailers = fc.oneof(
  { weight: 6, arbitrary: fc.constant("") },
  { weight: 1, arbitrary: fc.constantFrom("x: 1\r\n", "content-length: 3\r\n", "x : 1\r\n", "x: 1\n", " x: 1\r\n") },
);
export const body = fc.oneof(
  fc.constant({ framing: [] as string[], bytes: "" }),
  fc.constant({ framing: ["content-length: 3"], bytes: "abc" }),
  fc.tuple(fc.array(chunk, { maxLength: 3 }), trailers).map(([chunks, end]) => ({
    framing: ["transfer-encoding: chunked"],
    bytes: `${chunks.join("")}0\r\n${end}\r\n`,
  })),
);
const specials = fc.constantFrom(
  "\r",
  "\n",
  "\r\n",
  " ",
  "\t",
  ":",
  "\0",
  "\x0b",
  ",",
  "\x80",
  "0",
  "x",
  ";",
  "\x7f",
  "a",
);
const mutation = fc.record({ at: fc.nat(400), remove: fc.nat(2), insert: fc.oneof(fc.constant(""), specials) });
export interface Mutation {
  readonly at: number;
  readonly remove: number;
  readonly insert: string;
}

export const mutations: fc.Arbitrary<readonly Mutation[]> = fc.array(mutation, { maxLength: 2 });

export function mutated(text: string, changes: readonly Mutation[]): Buffer {
  let changed = text;
  for (const { at, remove, insert } of changes) {
    const place = at % (changed.length + 1);
    changed = changed.slice(0, place) + insert + changed.slice(place + remove);
  }
  return Buffer.from(changed, "latin1");
}

export function cutUp(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const places = [0, ...[...cuts].sort((a, b) => a - b).filter((cut) => cut < bytes.length), bytes.length];
  return places.slice(1).map((place, i) => bytes.subarray(places[i], place));
}
