import { describe, expect, it } from "vitest";
import type { ClientConnectionCallbacks, RequestEncoder } from "../http/codec.ts";
import type { HeaderMap } from "../http/header-map.ts";
import { createHttp1ClientCodec } from "./http1-codec.ts";
import { FakeTransport } from "./testing/fake-transport.ts";
import { fieldsOf, headersOf, RecordedMessage, requestHeaders, settle } from "./testing/recorder.ts";

class Callbacks implements ClientConnectionCallbacks {
  readonly calls: string[] = [];
  error: Error | null = null;
  onIdleHook: () => void = () => {};

  onIdle(): void {
    this.calls.push("idle");
    this.onIdleHook();
  }

  onGoAway(): void {
    this.calls.push("goaway");
  }

  onClose(error: Error | null): void {
    this.calls.push("close");
    this.error = error;
  }

  get code(): unknown {
    return (this.error as { code?: unknown } | null)?.code;
  }
}

function connect() {
  const transport = new FakeTransport();
  const callbacks = new Callbacks();
  const connection = createHttp1ClientCodec().connect(transport, callbacks);
  return { transport, callbacks, connection };
}

function write(encoder: RequestEncoder, text: string, end: boolean): void {
  const bytes = Buffer.from(text, "latin1");
  encoder.sendData(bytes, 0, bytes.length, end);
}

/** A connection on which one request was sent. */
function requested(headers: HeaderMap = requestHeaders("GET", "/"), endStream = true) {
  const bench = connect();
  const response = new RecordedMessage();
  const encoder = bench.connection.newStream(response);
  encoder.sendHeaders(headers, endStream);
  return { ...bench, response, encoder };
}

const HEAD = "HTTP/1.1 200 OK\r\n";
const OK = `${HEAD}content-length: 2\r\n\r\nok`;

describe("a request to an upstream", () => {
  it("begins with line and host, in origin-form", () => {
    const { transport, encoder } = requested(requestHeaders("GET", "/a?b", [["x", "1"]]));
    expect(transport.output).toBe("GET /a?b HTTP/1.1\r\nhost: reviews:9080\r\nx: 1\r\n\r\n");
    expect(encoder.wireBytesSent).toBe(transport.output.length);
  });

  it.each([
    ["POST", [], "content-length: 0\r\n"],
    ["DELETE", [], "content-length: 0\r\n"],
    ["GET", [], ""],
    ["HEAD", [], ""],
    ["POST", [["content-length", "0"]], "content-length: 0\r\n"],
    ["POST", [["content-length", "7"]], "content-length: 0\r\n"],
    ["GET", [["content-length", "7"]], ""],
  ] as const)("that ends with its head tells its length as its method needs: %s %j", (method, fields, expected) => {
    const { transport } = requested(requestHeaders(method, "/", fields));
    expect(transport.output).toBe(`${method} / HTTP/1.1\r\nhost: reviews:9080\r\n${expected}\r\n`);
  });

  it("goes with its length, or in chunks without one", () => {
    const known = requested(requestHeaders("POST", "/", [["content-length", "3"]]), false);
    write(known.encoder, "abc", true);
    expect(known.transport.output).toMatch(/\r\ncontent-length: 3\r\n\r\nabc$/);
    const unknown = requested(requestHeaders("POST", "/"), false);
    write(unknown.encoder, "abc", false);
    unknown.encoder.sendTrailers(headersOf([["x-sum", "7"]]));
    expect(unknown.transport.output).toMatch(
      /\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nx-sum: 7\r\n\r\n$/,
    );
  });

  it("keeps te only for trailers, and nothing of the hop before", () => {
    const fields = [
      ["connection", "keep-alive, te"],
      ["keep-alive", "5"],
      ["proxy-connection", "x"],
      ["http2-settings", "x"],
      ["te", "gzip, trailers;q=1"],
    ] as const;
    const { transport } = requested(requestHeaders("GET", "/", fields));
    expect(transport.output).toBe("GET / HTTP/1.1\r\nhost: reviews:9080\r\nte: trailers\r\n\r\n");
    const other = requested(requestHeaders("GET", "/", [["te", "gzip"]]));
    expect(other.transport.output).not.toContain("te:");
  });

  it("cannot be made two by what filters write", () => {
    const headers = requestHeaders("GET", "/ HTTP/1.1\r\nx: y", [
      ["a", "1\r\nb: 2"],
      ["c", "\u010d\u010a"],
      ["d e", "3"],
      ["f\r\ng", "4"],
    ]);
    const { transport } = requested(headers);
    expect(transport.output).toBe(
      "GET /%20HTTP/1.1%0D%0Ax:%20y HTTP/1.1\r\nhost: reviews:9080\r\na: 1  b: 2\r\nc:   \r\n\r\n",
    );
  });

  it("that sends less than its length breaks the connection off, and the stream is told", async () => {
    const { transport, encoder, response } = requested(requestHeaders("POST", "/", [["content-length", "3"]]), false);
    write(encoder, "ab", true);
    await settle();
    expect([transport.destroyed, response.resetBy]).toEqual([true, "local"]);
  });
});

/** Responses and what the decoder is told. `rest` is what remains of the connection. */
const RESPONSES: readonly {
  name: string;
  bytes: string;
  method?: string;
  status?: string;
  body?: string;
  calls?: string[];
  ends?: boolean;
}[] = [
  { name: "a length", bytes: OK, body: "ok", calls: ["idle"] },
  { name: "length 0", bytes: `${HEAD}content-length: 0\r\n\r\n`, calls: ["idle"] },
  {
    name: "chunks",
    bytes: `${HEAD}transfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n`,
    body: "abc",
    calls: ["idle"],
  },
  { name: "no reason", bytes: "HTTP/1.1 200 \r\ncontent-length: 0\r\n\r\n", calls: ["idle"] },
  { name: "no space before no reason", bytes: "HTTP/1.1 200\r\ncontent-length: 0\r\n\r\n", calls: ["idle"] },
  {
    name: "a reason in another language",
    bytes: "HTTP/1.1 200 \xc3\xa7a va\r\ncontent-length: 0\r\n\r\n",
    calls: ["idle"],
  },
  { name: "204", bytes: "HTTP/1.1 204 No Content\r\n\r\n", status: "204", calls: ["idle"] },
  {
    name: "204 with length 0",
    bytes: "HTTP/1.1 204 No Content\r\ncontent-length: 0\r\n\r\n",
    status: "204",
    calls: ["idle"],
  },
  { name: "304 with a length", bytes: "HTTP/1.1 304 x\r\ncontent-length: 9\r\n\r\n", status: "304", calls: ["idle"] },
  { name: "HEAD with a length", method: "HEAD", bytes: `${HEAD}content-length: 9\r\n\r\n`, calls: ["idle"] },
  { name: "HEAD with chunked", method: "HEAD", bytes: `${HEAD}transfer-encoding: chunked\r\n\r\n`, calls: ["idle"] },
  { name: "HEAD without a length", method: "HEAD", bytes: `${HEAD}\r\n`, calls: ["idle"] },
  {
    name: "a body until the end",
    bytes: `${HEAD}\r\nall of it`,
    body: "all of it",
    ends: true,
    calls: ["goaway", "close"],
  },
  { name: "an empty body until the end", bytes: `${HEAD}\r\n`, ends: true, calls: ["goaway", "close"] },
  {
    name: "connection: close",
    bytes: `${HEAD}connection: close\r\ncontent-length: 2\r\n\r\nok`,
    body: "ok",
    calls: ["goaway", "close"],
  },
  { name: "HTTP/1.0", bytes: "HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nok", body: "ok", calls: ["goaway", "close"] },
  {
    name: "HTTP/1.0 with keep-alive",
    bytes: "HTTP/1.0 200 OK\r\nconnection: Keep-Alive\r\ncontent-length: 2\r\n\r\nok",
    body: "ok",
    calls: ["idle"],
  },
];

/** Responses that break the rules; the stream is reset and the connection given up. */
const MALFORMED: readonly [name: string, bytes: string, code: string][] = [
  ["two lengths", `${HEAD}content-length: 2\r\ncontent-length: 2\r\n\r\nok`, "duplicate_content_length"],
  ["a list of lengths", `${HEAD}content-length: 2, 2\r\n\r\nok`, "invalid_content_length"],
  ["a negative length", `${HEAD}content-length: -1\r\n\r\n`, "invalid_content_length"],
  ["a hexadecimal length", `${HEAD}content-length: 0x2\r\n\r\nok`, "invalid_content_length"],
  [
    "length and chunked",
    `${HEAD}content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`,
    "content_length_and_chunked_not_allowed",
  ],
  [
    "chunked twice",
    `${HEAD}transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n`,
    "duplicate_transfer_encoding",
  ],
  ["gzip", `${HEAD}transfer-encoding: gzip\r\n\r\n`, "invalid_transfer_encoding"],
  ["gzip, chunked", `${HEAD}transfer-encoding: gzip, chunked\r\n\r\n`, "invalid_transfer_encoding"],
  ["chunked in HTTP/1.0", "HTTP/1.0 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", "transfer_encoding_in_http10"],
  ["204 with a length", "HTTP/1.1 204 x\r\ncontent-length: 2\r\n\r\nok", "body_not_allowed"],
  ["204 with chunks", "HTTP/1.1 204 x\r\ntransfer-encoding: chunked\r\n\r\n", "body_not_allowed"],
  ["100 with a length", "HTTP/1.1 100 x\r\ncontent-length: 2\r\n\r\n", "body_not_allowed"],
  ["101 unasked", "HTTP/1.1 101 x\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n", "unexpected_upgrade"],
  ["1xx without end", "HTTP/1.1 102 x\r\n\r\n".repeat(40), "too_many_informational"],
  ["a folded header", `${HEAD}x: 1\r\n 2\r\n\r\n`, "obs_fold"],
  ["LF alone", "HTTP/1.1 200 OK\ncontent-length: 0\n\n", "invalid_status_line"],
  ["LF alone after a header", `${HEAD}x: 1\n\r\n`, "bare_lf"],
  ["CR alone", `${HEAD}x: 1\ry: 2\r\n\r\n`, "bare_cr"],
  ["NUL in a value", `${HEAD}x: \0\r\n\r\n`, "invalid_characters"],
  ["a space before a colon", `${HEAD}content-length : 2\r\n\r\nok`, "space_in_header_name"],
  ["an empty name", `${HEAD}: 2\r\n\r\n`, "empty_header_name"],
  ["HTTP/2.0", "HTTP/2.0 200 OK\r\n\r\n", "invalid_status_line"],
  ["HTTP/1.2", "HTTP/1.2 200 OK\r\n\r\n", "invalid_status_line"],
  [
    "1xx that closes the connection",
    `HTTP/1.1 103 Early Hints\r\nconnection: close\r\n\r\n${OK}`,
    "closing_informational",
  ],
  ["1xx in HTTP/1.0", `HTTP/1.0 100 Continue\r\n\r\n${OK}`, "invalid_status_line"],
  ["a version in lower case", "http/1.1 200 OK\r\n\r\n", "invalid_status_line"],
  ["two spaces", "HTTP/1.1  200 OK\r\n\r\n", "invalid_status_line"],
  ["a status of two digits", "HTTP/1.1 20 OK\r\n\r\n", "invalid_status_line"],
  ["a status of four digits", "HTTP/1.1 2000 OK\r\n\r\n", "invalid_status_line"],
  ["status 099", "HTTP/1.1 099 OK\r\n\r\n", "invalid_status_line"],
  ["status 600", "HTTP/1.1 600 OK\r\n\r\n", "invalid_status_line"],
  ["NUL in the reason", "HTTP/1.1 200 O\0K\r\n\r\n", "invalid_status_line"],
  ["an empty line in front", `\r\n${OK}`, "invalid_status_line"],
  ["something else", "SSH-2.0-OpenSSH_9.0\r\n", "invalid_status_line"],
  ["a head over 80 KiB", `${HEAD}x: ${"a".repeat(82_000)}\r\n\r\n`, "headers_too_large"],
  ["a status line without end", `HTTP/1.1 200 ${"a".repeat(82_000)}`, "headers_too_large"],
  ["101 headers", `${HEAD}${"x: 1\r\n".repeat(101)}\r\n`, "too_many_headers"],
  ["a bad chunk", `${HEAD}transfer-encoding: chunked\r\n\r\n0x3\r\nabc\r\n0\r\n\r\n`, "invalid_chunk_size"],
  ["a bad trailer", `${HEAD}transfer-encoding: chunked\r\n\r\n0\r\ncontent-length: 3\r\n\r\n`, "forbidden_trailer"],
];

function everyByte(bytes: string): number[] {
  return Array.from({ length: bytes.length }, (_, at) => at);
}

describe.each(RESPONSES)("a response with $name", ({ bytes, method, status, body, calls, ends }) => {
  it.each([
    ["whole", []],
    ["byte by byte", everyByte(bytes)],
  ])("is understood %s", async (_how, cuts) => {
    const { transport, callbacks, response, encoder } = requested(requestHeaders(method ?? "GET", "/"));
    transport.receive(bytes, cuts);
    if (ends === true) transport.receiveEnd();
    await settle();
    expect([response.get(":status"), response.body, response.ended]).toEqual([status ?? "200", body ?? "", true]);
    expect([response.resetBy, callbacks.calls, callbacks.error]).toEqual([null, calls, null]);
    expect(encoder.wireBytesReceived).toBe(bytes.length);
  });
});

describe.each(MALFORMED)("a response with %s", (_name, bytes, code) => {
  it.each([
    ["whole", []],
    ["byte by byte", everyByte(bytes)],
  ])("is refused %s", async (_how, cuts) => {
    const { transport, callbacks, response } = requested();
    transport.receive(bytes, cuts);
    await settle();
    expect([response.ended, response.resetBy]).toEqual([false, "protocol-error"]);
    expect([callbacks.calls, callbacks.code]).toEqual([["close"], `http1.${code}`]);
  });
});

describe("an upstream connection", () => {
  it("carries one request after the other", () => {
    const { transport, callbacks, connection } = connect();
    for (let i = 1; i <= 3; i++) {
      const response = new RecordedMessage();
      expect(connection.available).toBe(true);
      const encoder = connection.newStream(response);
      expect([connection.available, connection.activeStreams]).toEqual([false, 1]);
      encoder.sendHeaders(requestHeaders("GET", "/"), true);
      transport.receive(OK);
      expect([response.body, callbacks.calls.length, connection.activeStreams]).toEqual(["ok", i, 0]);
    }
  });

  it("is available from inside onIdle, not before", () => {
    const { transport, callbacks, connection, response } = requested();
    const seen: boolean[] = [];
    response.onEvent = () => seen.push(connection.available);
    callbacks.onIdleHook = () => seen.push(connection.available);
    transport.receive(OK);
    expect(seen).toEqual([false, false, false, true]);
  });

  it("never takes bytes behind a response for the next one", async () => {
    const { transport, callbacks, connection, response } = requested();
    transport.receive(`${OK}HTTP/1.1 200 Smuggled\r\ncontent-length: 0\r\n\r\n`);
    await settle();
    expect([response.body, response.ended, response.resetBy]).toEqual(["ok", true, null]);
    expect([connection.available, callbacks.calls, callbacks.code]).toEqual([
      false,
      ["close"],
      "http1.unexpected_data",
    ]);
  });

  it("is given up when bytes come that nobody asked for", async () => {
    const { transport, callbacks } = connect();
    transport.receive("HTTP/1.1 408 Request Timeout\r\n\r\n");
    await settle();
    expect([callbacks.calls, callbacks.code]).toEqual([["close"], "http1.unexpected_data"]);
    const early = connect();
    const response = new RecordedMessage();
    early.connection.newStream(response);
    early.transport.receive(OK);
    expect(response.resetBy).toBe("protocol-error");
  });

  it("passes informational responses on before the final one", () => {
    const { transport, response, callbacks } = requested(
      requestHeaders("POST", "/", [["expect", "100-continue"]]),
      false,
    );
    transport.receive("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n");
    expect(response.informational.map(fieldsOf)).toEqual([[":status=100"], [":status=103", "link=</x>"]]);
    expect([response.headers, callbacks.calls]).toEqual([null, []]);
  });

  it("loses what connection says is for this hop only", () => {
    const { transport, response } = requested();
    transport.receive(`${HEAD}connection: x-hop\r\nx-hop: 1\r\nhost: b\r\ncontent-length: 0\r\n\r\n`);
    expect(fieldsOf(response.headers)).toEqual([":status=200", "connection=x-hop", "host=b", "content-length=0"]);
  });

  it.each([
    ["before a response", "", "connection-termination"],
    ["in a head", "HTTP/1.1 200 OK\r\ncont", "connection-termination"],
    ["in a body with a length", `${HEAD}content-length: 3\r\n\r\nab`, "connection-termination"],
    ["in chunks", `${HEAD}transfer-encoding: chunked\r\n\r\n3\r\nabc\r\n`, "connection-termination"],
    ["before the last line", `${HEAD}transfer-encoding: chunked\r\n\r\n0\r\n`, "connection-termination"],
  ] as const)("that ends %s resets the stream", async (_name, bytes, reason) => {
    const { transport, response, callbacks } = requested();
    transport.receive(bytes);
    transport.receiveEnd();
    await settle();
    expect([response.ended, response.resetBy, callbacks.calls]).toEqual([false, reason, ["close"]]);
  });

  it("that is lost in a body until its end resets the stream: it may be cut short", () => {
    const { transport, response, callbacks } = requested();
    transport.receive(`${HEAD}\r\nso far`);
    transport.receiveError(Object.assign(new Error("read ECONNRESET"), { code: "ECONNRESET" }));
    expect([response.ended, response.resetBy]).toEqual([false, "connection-termination"]);
    expect(callbacks.code).toBe("ECONNRESET");
  });

  it("that ends while idle takes no request more", async () => {
    const { transport, connection, callbacks } = connect();
    transport.receiveEnd();
    expect([connection.available, transport.ended]).toEqual([false, true]);
    await settle();
    expect([callbacks.calls, callbacks.error]).toEqual([["close"], null]);
  });

  it("is not used again when a response was over before its request", async () => {
    const { transport, response, encoder, callbacks } = requested(requestHeaders("POST", "/"), false);
    write(encoder, "part", false);
    transport.takeOutput();
    transport.receive(OK);
    expect([response.ended, callbacks.calls]).toEqual([true, ["goaway"]]);
    write(encoder, "the rest", true);
    await settle();
    expect([transport.output, callbacks.calls, response.resetBy]).toEqual(["", ["goaway", "close"], null]);
  });

  it("does not stay deaf when a stream ended that had stopped reading", async () => {
    const { transport, connection, response, encoder } = requested();
    response.onEvent = (event) => {
      if (event === "data") encoder.pauseReading();
    };
    transport.receive(OK);
    encoder.pauseReading();
    expect(transport.paused).toBe(false);
    const next = new RecordedMessage();
    connection.newStream(next).sendHeaders(requestHeaders("GET", "/"), true);
    transport.receive(OK);
    await settle();
    expect(next.body).toBe("ok");
  });

  it("stops reading while a stream asks for it, and holds a clean end back", async () => {
    const { transport, response, encoder } = requested();
    encoder.pauseReading();
    expect(transport.paused).toBe(true);
    transport.receive(`${HEAD}\r\nuntil the end`);
    transport.receiveEnd();
    await settle();
    expect(response.calls).toBe(0);
    encoder.resumeReading();
    await settle();
    expect([response.body, response.ended]).toEqual(["until the end", true]);
  });

  it("is closed by the reset of a stream, whose decoder hears no more", async () => {
    const { transport, response, encoder, callbacks } = requested();
    encoder.reset("local");
    transport.receive(OK);
    await settle();
    expect([response.calls, callbacks.calls, callbacks.error]).toEqual([0, ["close"], null]);
  });

  it("ignores the reset of a stream that is over", () => {
    const { transport, connection, encoder } = requested();
    transport.receive(OK);
    encoder.reset("local");
    expect([connection.available, transport.destroyed]).toEqual([true, false]);
  });

  it("resets its stream as local when it is closed by its owner", async () => {
    const { connection, response, callbacks } = requested();
    connection.close();
    expect([connection.available, response.resetBy]).toEqual([false, null]);
    await settle();
    expect([response.resetBy, callbacks.calls]).toEqual(["local", ["close"]]);
  });

  it("fails a stream that was opened when it should not have been", async () => {
    const { connection } = requested();
    const second = new RecordedMessage();
    const encoder = connection.newStream(second);
    encoder.sendHeaders(requestHeaders("GET", "/"), true);
    expect(second.resetBy).toBeNull();
    await settle();
    expect(second.resetBy).toBe("connection-termination");
  });

  it("tells the open stream when the upstream reads again", () => {
    const { transport, response, encoder } = requested(requestHeaders("POST", "/"), false);
    transport.congested = true;
    expect(encoder.congested).toBe(true);
    transport.drain();
    expect([encoder.congested, response.drains]).toEqual([false, 1]);
  });
});

describe("a tunnel to an upstream", () => {
  const upgrade = requestHeaders("GET", "/chat", [
    ["connection", "upgrade"],
    ["upgrade", "websocket"],
    ["x", "1"],
  ]);
  const SWITCH = "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n";

  it("opens with 101 and ends half by half", async () => {
    const { transport, response, encoder, callbacks, connection } = requested(upgrade, false);
    expect(transport.takeOutput()).toBe(
      "GET /chat HTTP/1.1\r\nhost: reviews:9080\r\nx: 1\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n",
    );
    transport.receive(`${SWITCH}from server`);
    write(encoder, "from client", false);
    expect([response.get(":status"), response.body, transport.output]).toEqual(["101", "from server", "from client"]);
    transport.receiveEnd();
    expect([response.ended, transport.ended, connection.available]).toEqual([true, false, false]);
    write(encoder, "!", true);
    expect([transport.output, transport.ended]).toEqual(["from client!", true]);
    transport.destroy();
    await settle();
    expect([callbacks.calls, response.resetBy]).toEqual([["close"], null]);
  });

  it("keeps what comes too early: on the wire it would be the next request", () => {
    const { transport, response, encoder } = requested(upgrade, false);
    transport.takeOutput();
    write(encoder, "GET /smuggled HTTP/1.1\r\n\r\n", false);
    expect([transport.output, encoder.congested]).toEqual(["", true]);
    transport.receive(SWITCH);
    expect([transport.output, encoder.congested, response.drains]).toEqual([
      "GET /smuggled HTTP/1.1\r\n\r\n",
      false,
      1,
    ]);
  });

  it("drops what came early when the upstream declines, and the connection with it", async () => {
    const { transport, response, encoder, callbacks } = requested(upgrade, false);
    transport.takeOutput();
    write(encoder, "early", true);
    transport.receive("HTTP/1.1 403 Forbidden\r\ncontent-length: 2\r\n\r\nno");
    await settle();
    expect([response.get(":status"), response.body, response.ended]).toEqual(["403", "no", true]);
    expect([transport.output, callbacks.calls]).toEqual(["", ["goaway", "close"]]);
  });

  it("keeps only so much", async () => {
    const { encoder, response } = requested(upgrade, false);
    write(encoder, "x".repeat(70_000), false);
    await settle();
    expect(response.resetBy).toBe("overflow");
  });

  it("opens for CONNECT with any 2xx, whose length means nothing", () => {
    const { transport, response } = requested(requestHeaders("CONNECT", "/"), false);
    expect(transport.output).toBe("CONNECT reviews:9080 HTTP/1.1\r\nhost: reviews:9080\r\n\r\n");
    transport.receive("HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nmore than three");
    expect([response.body, response.ended]).toEqual(["more than three", false]);
  });
});
