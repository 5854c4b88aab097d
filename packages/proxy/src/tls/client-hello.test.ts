import { createServer, type Socket } from "node:net";
import { connect } from "node:tls";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ClientHelloInspector, MAX_CLIENT_HELLO } from "./client-hello.ts";

const inspectClientHello = (bytes: Buffer) => new ClientHelloInspector().push(bytes);

/** What a real client sends first. */
async function realHello(options: { servername?: string; ALPNProtocols?: string[] }): Promise<Buffer> {
  const server = createServer();
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  const accepted = new Promise<Socket>((resolve) => server.once("connection", resolve));
  const { port } = server.address() as { port: number };
  const client = connect({ host: "127.0.0.1", port, rejectUnauthorized: false, ...options });
  client.on("error", () => {});
  const socket = await accepted;
  const bytes = await new Promise<Buffer>((resolve) => socket.once("data", resolve));
  client.destroy();
  socket.destroy();
  server.close();
  return bytes;
}

/** The same handshake message in records of `size` bytes. */
function fragment(record: Buffer, size: number): Buffer {
  const message = record.subarray(5);
  const records: Buffer[] = [];
  for (let at = 0; at < message.length; at += size) {
    const part = message.subarray(at, at + size);
    const header = Buffer.from([22, 3, 1, part.length >> 8, part.length & 0xff]);
    records.push(header, part);
  }
  return Buffer.concat(records);
}

describe("the first bytes of a connection", () => {
  it("of a TLS client name the server and the protocols that it asks for", async () => {
    const full = await realHello({ servername: "Reviews.Default", ALPNProtocols: ["istio", "istio-http/1.1"] });
    expect(inspectClientHello(full)).toEqual({
      kind: "tls",
      hello: { serverName: "reviews.default", applicationProtocols: ["istio", "istio-http/1.1"] },
    });
    expect(inspectClientHello(await realHello({}))).toEqual({
      kind: "tls",
      hello: { serverName: null, applicationProtocols: [] },
    });
  });

  it("are incomplete until the last one has come, however they are cut into records", async () => {
    const hello = await realHello({ servername: "a.b", ALPNProtocols: ["h2"] });
    for (const bytes of [hello, fragment(hello, 1), fragment(hello, 7), fragment(hello, 100)]) {
      const inspector = new ClientHelloInspector();
      const verdicts = Array.from(bytes, (byte) => inspector.push(Buffer.from([byte])).kind);
      expect(verdicts.indexOf("tls")).toBe(bytes.length - 1);
      expect(new Set(verdicts.slice(0, -1))).toEqual(new Set(["incomplete"]));
      expect(inspectClientHello(bytes)).toMatchObject({ kind: "tls", hello: { serverName: "a.b" } });
      expect(inspectClientHello(Buffer.concat([bytes, Buffer.from("more")])).kind).toBe("tls");
    }
  });

  it("of other protocols are plaintext from the first byte that tells", () => {
    for (const text of ["GET / HTTP/1.1\r\n", "SSH-2.0", "\0", "\x16GET"]) {
      expect(inspectClientHello(Buffer.from(text, "latin1")).kind, text).toBe("plaintext");
    }
    expect(inspectClientHello(Buffer.from("\x16\x03", "latin1")).kind).toBe("incomplete");
  });

  it("that promise too much or break their own lengths are malformed, and never throw", async () => {
    const hello = await realHello({ servername: "a.b", ALPNProtocols: ["h2"] });
    expect(inspectClientHello(Buffer.from([22, 3, 1, 0xff, 0xff])).kind).toBe("malformed");
    expect(inspectClientHello(Buffer.from([22, 3, 1, 0, 0])).kind).toBe("malformed");
    expect(inspectClientHello(Buffer.from([22, 3, 1, 0, 4, 2, 0, 0, 0])).kind).toBe("malformed");
    expect(inspectClientHello(Buffer.from([22, 3, 1, 0, 4, 1, 0xff, 0xff, 0xff])).kind).toBe("malformed");
    fc.assert(
      fc.property(fc.nat(hello.length - 1), fc.nat(255), (at, value) => {
        const changed = Buffer.from(hello);
        changed[at] = value;
        inspectClientHello(changed);
      }),
      { numRuns: 5000 },
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        inspectClientHello(Buffer.concat([Buffer.from([22, 3, 1]), bytes]));
      }),
      { numRuns: 5000 },
    );
  });

  it("may not be longer than a hello can be, nor come in ever more records", () => {
    const promising = Buffer.from([22, 3, 1, 0, 100, 1, 1, 0, 1]);
    expect(inspectClientHello(promising).kind).toBe("malformed");
    const inspector = new ClientHelloInspector();
    const verdicts = new Set<string>();
    for (let sent = 0; sent < 10 * MAX_CLIENT_HELLO; sent += 6)
      verdicts.add(inspector.push(Buffer.from([22, 3, 1, 0, 1, 1])).kind);
    expect(verdicts).toContain("malformed");
  });
});
