import { type IncomingMessage, request } from "node:http";
import { Duplex } from "node:stream";
import type { Understood } from "./understood.ts";

/** A response as Node's client understood it. `method` is "", `target` the status. */
export interface UnderstoodResponses {
  /** Statuses before the final one. */
  readonly informational: readonly number[];
  /** Null where none was complete. */
  readonly final: Understood | null;
}

/** The other side of a connection: what is put in is read, what is written is forgotten. */
class Feed extends Duplex {
  constructor() {
    super({ read: () => {}, write: (_chunk, _encoding, done) => done() });
  }
}

/** Sends one request by Node's own HTTP client and shows what it makes of the bytes that come back. */
export async function understandResponse(
  method: string,
  pieces: readonly Buffer[],
  ends: boolean,
): Promise<UnderstoodResponses> {
  const feed = new Feed();
  const informational: number[] = [];
  let final: Understood | null = null;
  const outgoing = request({ method, host: "a", path: "/", createConnection: () => feed }, (incoming) => {
    collect(incoming, (understood) => {
      final = understood;
    });
  });
  outgoing.on("information", ({ statusCode }) => informational.push(statusCode));
  outgoing.on("upgrade", () => {});
  outgoing.on("error", () => {});
  feed.on("error", () => {});
  outgoing.end();
  await turn();
  for (const piece of pieces) {
    feed.push(piece);
    await turn();
  }
  if (ends) feed.push(null);
  for (let i = 0; i < 4; i++) await turn();
  const understood = { informational, final };
  feed.destroy();
  outgoing.destroy();
  return understood;
}

function collect(incoming: IncomingMessage, done: (understood: Understood) => void): void {
  const chunks: Buffer[] = [];
  incoming.on("error", () => {});
  incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
  incoming.on("end", () => {
    if (!incoming.complete) return;
    done({
      method: "",
      target: String(incoming.statusCode),
      fields: pairs(incoming.rawHeaders),
      body: Buffer.concat(chunks).toString("latin1"),
      trailers: pairs(incoming.rawTrailers),
    });
  });
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function pairs(raw: readonly string[]): [string, string][] {
  const fields: [string, string][] = [];
  for (let i = 0; i + 1 < raw.length; i += 2) fields.push([(raw[i] ?? "").toLowerCase(), raw[i + 1] ?? ""]);
  return fields;
}
