import { DeadlineWheel, VirtualClock } from "@mixerless/clock";
import { describe, expect, it } from "vitest";
import { H } from "../http/header-name.ts";
import { createHttp1ServerCodec } from "./http1-codec.ts";
import type { Http1ServerOptions } from "./options.ts";
import { FakeTransport } from "./testing/fake-transport.ts";
import { answerOk, fieldsOf, headersOf, RecordingServer, responseHeaders, send, settle } from "./testing/recorder.ts";

const GET = "GET / HTTP/1.1\r\nhost: a\r\n\r\n";
const OK = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

function serve(options: Partial<Http1ServerOptions> = {}) {
  const clock = new VirtualClock();
  const wheel = new DeadlineWheel(clock, 100);
  const transport = new FakeTransport();
  const server = new RecordingServer();
  const connection = createHttp1ServerCodec({ clock, wheel, ...options }).serve(transport, server);
  return { clock, transport, server, connection };
}

/** As {@link serve}, with one request that has arrived. */
function served(request = GET, options: Partial<Http1ServerOptions> = {}) {
  const bench = serve(options);
  bench.transport.receive(request);
  const stream = bench.server.streams[0];
  if (stream === undefined) throw new Error("the request did not arrive");
  return { ...bench, ...stream };
}

describe("a request", () => {
  it("shows its line and host as pseudo-headers, in Envoy's order", () => {
    const { request } = served(
      "POST /a?b=c HTTP/1.1\r\nX-One:  1 \r\nHost:reviews:9080\r\nx-two: 2\r\ncontent-length:0\r\n\r\n",
    );
    expect(fieldsOf(request.headers)).toEqual([
      ":authority=reviews:9080",
      ":path=/a?b=c",
      ":method=POST",
      ":scheme=http",
      "x-one=1",
      "x-two=2",
      "content-length=0",
    ]);
    expect(request.ended).toBe(true);
  });

  it.each([
    ["GET http://b:81/x?y HTTP/1.1", "b:81", "/x?y", "http"],
    ["GET HTTPS://b/x HTTP/1.1", "b", "/x", "https"],
    ["GET http://b HTTP/1.1", "b", "/", "http"],
    ["GET http://b?y HTTP/1.1", "b", "/?y", "http"],
    ["OPTIONS http://b HTTP/1.1", "b", "*", "http"],
    ["OPTIONS * HTTP/1.1", "a", "*", "http"],
    ["GET /http://c/ HTTP/1.1", "a", "/http://c/", "http"],
    ["GET / HTTP/1.1", "a", "/", "http"],
  ])("has authority, path and scheme by its target: %s", (line, authority, path, scheme) => {
    const { request } = served(`${line}\r\nhost: a\r\n\r\n`);
    expect([request.get(":authority"), request.get(":path"), request.get(":scheme")]).toEqual([
      authority,
      path,
      scheme,
    ]);
    expect(request.get("host")).toBe(authority);
  });

  it.each(["a", "a:80", "a.b-c_d~e:65535", "127.0.0.1:80", "[::1]", "[2001:db8::1]:80", "a%20b", "0"])(
    "may be for host %s",
    (host) => {
      const { request } = served(`GET / HTTP/1.1\r\nhost: ${host}\r\n\r\n`);
      expect(request.get(":authority")).toBe(host);
    },
  );

  it("keeps values as bytes", () => {
    const { request } = served(`GET / HTTP/1.1\r\nhost: a\r\nx: caf\xc3\xa9 \x80\xff\r\n\r\n`);
    expect(request.get("x")).toBe("caf\xc3\xa9 \x80\xff");
  });

  it("may follow one empty line", () => {
    expect(served(`\r\n${GET}`).request.ended).toBe(true);
  });

  it("loses what connection says is for this hop only, but not what proxies rely on", () => {
    const options = "close, X-Hop, host, content-length, x-forwarded-for";
    const { request } = served(
      `GET / HTTP/1.1\r\nhost: a\r\nx-hop: 1\r\nx-forwarded-for: 1.2.3.4\r\ncontent-length: 0\r\nconnection: ${options}\r\n\r\n`,
    );
    expect([request.get("x-hop"), request.get("x-forwarded-for")]).toEqual([null, "1.2.3.4"]);
    expect([request.get("host"), request.get("content-length")]).toEqual(["a", "0"]);
  });

  it.each(["drop", "reject", "allow"] as const)("with underscores in a name: %s", (headersWithUnderscores) => {
    const { transport, server } = serve({ headersWithUnderscores });
    transport.receive("GET / HTTP/1.1\r\nhost: a\r\nx_y: 1\r\nz: 2\r\n\r\n");
    const seen = { drop: [null, "2"], allow: ["1", "2"], reject: [] }[headersWithUnderscores];
    expect(server.requests.flatMap((request) => [request.get("x_y"), request.get("z")])).toEqual(seen);
    const codes = server.refused.map((refused) => refused.code);
    expect(codes).toEqual(headersWithUnderscores === "reject" ? ["http1.unexpected_underscore"] : []);
  });

  it("is described as far as it was readable when it is refused", () => {
    const { transport, server } = serve();
    transport.receive("DELETE /x HTTP/1.1\r\nhost: reviews\r\nbad name: 1\r\n\r\n");
    const refused = server.refused[0];
    expect(refused).toMatchObject({ method: "DELETE", path: "/x", authority: "reviews", status: 400 });
    expect(refused?.wireBytesReceived).toBe(50);
  });

  it("gets a refusal without a body when its method is HEAD", () => {
    const { transport } = serve();
    transport.receive("HEAD / HTTP/1.1\r\n\r\n");
    expect(transport.output).toMatch(/\r\ncontent-length: \d+\r\nconnection: close\r\n\r\n$/);
  });
});

describe("a request body", () => {
  it("of a given length ends with its last byte", () => {
    const { request } = served("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\nhello");
    expect([request.body, request.ended, request.dataCalls]).toEqual(["hello", true, 1]);
  });

  it("in chunks is passed on without them, extensions dropped", () => {
    const { request, transport } = served(
      "POST / HTTP/1.1\r\nhost: a\r\nTransfer-Encoding: Chunked\r\n\r\n5;x=y;z;w=1\r\nhel",
    );
    expect([request.body, request.ended]).toEqual(["hel", false]);
    transport.receive("lo\r\n00A\r\n, world...\r\n0");
    transport.receive("00;last\r\n\r\n");
    expect([request.body, request.ended, request.trailers]).toEqual(["hello, world...", true, null]);
  });

  it("may have trailers", () => {
    const { request } = served("POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n0\r\nX-Sum: 7\r\n\r\n");
    expect(request.trailers?.get(H.contentLength)).toBeNull();
    expect(fieldsOf(request.trailers)).toEqual(["x-sum=7"]);
  });

  it("that the connection's end cuts off is reset, never ended", async () => {
    for (const framing of ["content-length: 5", "transfer-encoding: chunked"]) {
      const { request, server, transport } = served(`POST / HTTP/1.1\r\nhost: a\r\n${framing}\r\n\r\n2\r\n`);
      transport.receiveEnd();
      await settle();
      expect([request.ended, request.resetBy, server.closed]).toEqual([false, "connection-termination", 1]);
      expect(transport.destroyed).toBe(true);
    }
  });

  it("that a lost connection cuts off is reset before the close is reported", () => {
    const { request, server, transport } = served("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\nhe");
    transport.receiveError(new Error("reset"));
    expect([request.resetBy, server.closed]).toEqual(["connection-termination", 1]);
  });

  it("counts its bytes on the wire, framing included", () => {
    const head = "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n";
    const { encoder, transport } = served(`${head}3\r\nabc\r\n0\r\nx: 1\r\n\r\n`);
    expect(encoder.wireBytesReceived).toBe(head.length + 19);
    encoder.sendHeaders(responseHeaders(200), false);
    send(encoder, "abc", true);
    expect(encoder.wireBytesSent).toBe(transport.output.length);
  });
});

describe("a response", () => {
  it("with a length keeps it", () => {
    const { encoder, transport } = served();
    encoder.sendHeaders(
      responseHeaders(200, [
        ["content-length", "5"],
        ["x", "1"],
      ]),
      false,
    );
    send(encoder, "hel", false);
    send(encoder, "lo", true);
    expect(transport.output).toBe("HTTP/1.1 200 OK\r\ncontent-length: 5\r\nx: 1\r\n\r\nhello");
  });

  it("without a length goes in chunks, trailers at the end", () => {
    const { encoder, transport } = served();
    encoder.sendHeaders(responseHeaders(200), false);
    send(encoder, "", false);
    send(encoder, "x".repeat(26), false);
    encoder.sendTrailers(headersOf([["x-sum", "7"]]));
    expect(transport.output).toBe(
      `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1a\r\n${"x".repeat(26)}\r\n0\r\nx-sum: 7\r\n\r\n`,
    );
  });

  it("that ends with its head says length 0", () => {
    const { encoder, transport } = served();
    encoder.sendHeaders(responseHeaders(404), true);
    expect(transport.output).toBe("HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n");
  });

  it.each([
    ["204 has neither body nor length", GET, 204, [["content-length", "0"]], "HTTP/1.1 204 No Content\r\n\r\n"],
    [
      "304 may tell a length",
      GET,
      304,
      [["content-length", "9"]],
      "HTTP/1.1 304 Not Modified\r\ncontent-length: 9\r\n\r\n",
    ],
    ["304 needs none", GET, 304, [], "HTTP/1.1 304 Not Modified\r\n\r\n"],
    [
      "HEAD may tell a length",
      `HEAD${GET.slice(3)}`,
      200,
      [["content-length", "9"]],
      "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n",
    ],
    ["HEAD needs none", `HEAD${GET.slice(3)}`, 200, [], "HTTP/1.1 200 OK\r\n\r\n"],
  ] as const)("%s; a body is dropped", (_name, request, status, fields, expected) => {
    const { encoder, transport } = served(request);
    encoder.sendHeaders(responseHeaders(status, fields), false);
    send(encoder, "dropped", true);
    expect(transport.output).toBe(expected);
    transport.receive(GET);
    expect(transport.ended).toBe(false);
  });

  it("loses what belongs to the hop before, and a length that is none", () => {
    const { encoder, transport } = served();
    const fields = [
      ["connection", "keep-alive"],
      ["keep-alive", "timeout=5"],
      ["proxy-connection", "x"],
      ["transfer-encoding", "chunked"],
      ["upgrade", "h2c"],
      ["te", "trailers"],
      ["content-length", "5"],
      ["content-length", "5"],
      ["x", "1"],
    ] as const;
    encoder.sendHeaders(responseHeaders(200, fields), false);
    send(encoder, "a", true);
    expect(transport.output).toBe("HTTP/1.1 200 OK\r\nx: 1\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n");
  });

  it("never holds more than its length, which would be the next response, nor less unnoticed", () => {
    const long = served();
    long.encoder.sendHeaders(responseHeaders(200, [["content-length", "2"]]), false);
    send(long.encoder, "abcd", true);
    expect(long.transport.output).toMatch(/\r\n\r\nab$/);
    expect(long.transport.destroyed).toBe(true);
    const short = served();
    short.encoder.sendHeaders(responseHeaders(200, [["content-length", "2"]]), false);
    send(short.encoder, "a", true);
    expect(short.transport.destroyed).toBe(true);
  });

  it("is written as HTTP/1.1 even for a status of its own, and 500 for what is none", () => {
    expect(statusOf(299)).toBe("HTTP/1.1 299 Unknown");
    expect(statusOf(0)).toBe("HTTP/1.1 500 Internal Server Error");
    expect(statusOf(1000)).toBe("HTTP/1.1 500 Internal Server Error");
  });

  function statusOf(status: number): string {
    const { encoder, transport } = served();
    encoder.sendHeaders(responseHeaders(status), true);
    return transport.output.split("\r\n")[0] ?? "";
  }

  it("may be announced by informational ones", () => {
    const { encoder, transport } = served(
      "POST / HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\n",
    );
    encoder.sendInformational(responseHeaders(100));
    encoder.sendInformational(responseHeaders(103, [["link", "</x>"]]));
    encoder.sendInformational(responseHeaders(101));
    encoder.sendInformational(responseHeaders(200));
    expect(transport.takeOutput()).toBe("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n");
    transport.receive("ab");
    encoder.sendHeaders(responseHeaders(200), true);
    encoder.sendInformational(responseHeaders(100));
    expect(transport.output).toBe("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
  });
});

describe("a connection", () => {
  it("carries one request after the other", () => {
    const { transport, server } = serve();
    server.onRequest = answerOk;
    for (let i = 0; i < 3; i++) transport.receive(GET);
    expect(transport.output).toBe(OK.repeat(3));
    expect(server.streams).toHaveLength(3);
  });

  it("answers pipelined requests one by one, in order", async () => {
    const { transport, server } = serve();
    const body = "POST /2 HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\n\r\nabc";
    transport.receive(`${GET}${body}${GET}`);
    expect([server.streams.length, transport.paused]).toEqual([1, true]);
    for (let i = 0; i < 3; i++) {
      await settle();
      expect(server.streams).toHaveLength(i + 1);
      const stream = server.streams[i];
      if (stream !== undefined) answerOk(stream);
      expect(server.streams, "not from inside the call that ended the response").toHaveLength(i + 1);
    }
    await settle();
    expect(transport.output).toBe(OK.repeat(3));
    expect([server.requests[1]?.body, transport.paused]).toEqual(["abc", false]);
  });

  it("answers pipelined requests at once when the answers come at once", () => {
    const { transport, server } = serve();
    server.onRequest = answerOk;
    transport.receive(GET.repeat(100));
    expect(transport.output).toBe(OK.repeat(100));
  });

  it("takes no further request while its client does not read the responses", async () => {
    const { transport, server } = serve();
    server.onRequest = (stream) => {
      answerOk(stream);
      transport.congested = true;
    };
    transport.receive(GET.repeat(3));
    expect([server.streams.length, transport.paused]).toEqual([1, true]);
    transport.drain();
    await settle();
    expect(server.streams).toHaveLength(2);
  });

  it.each([
    ["the client asks for it", "GET / HTTP/1.1\r\nhost: a\r\nConnection: Close\r\n\r\n", {}],
    ["it has carried enough requests", GET, { maxRequests: 1 }],
  ])("closes after the response when %s", async (_name, request, options) => {
    const { transport, server, encoder } = served(request, options);
    encoder.sendHeaders(responseHeaders(200), true);
    expect(transport.output).toBe("HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    transport.receive(GET);
    expect([transport.ended, server.streams.length]).toEqual([true, 1]);
    transport.receiveEnd();
    await settle();
    expect(server.closed).toBe(1);
  });

  it("closes after the response when those above ask for it, also late", () => {
    const early = served();
    early.encoder.closeAfterResponse();
    early.encoder.sendHeaders(responseHeaders(200), true);
    expect([early.transport.output.includes("connection: close"), early.transport.ended]).toEqual([true, true]);
    const late = served();
    late.encoder.sendHeaders(responseHeaders(200), false);
    late.encoder.closeAfterResponse();
    send(late.encoder, "x", true);
    expect([late.transport.output.includes("connection: close"), late.transport.ended]).toEqual([false, true]);
  });

  it("when draining says so with the next response and stays until then", () => {
    const { connection, server, transport } = serve();
    server.onRequest = (stream) => stream.encoder.sendHeaders(responseHeaders(200), true);
    connection.drain();
    expect(transport.ended).toBe(false);
    transport.receive(GET);
    expect(transport.output).toContain("connection: close");
    expect(transport.ended).toBe(true);
  });

  it("when draining lets a response that has begun end without it, and closes with the next", () => {
    const { connection, encoder, transport, server } = served();
    encoder.sendHeaders(responseHeaders(200), false);
    connection.drain();
    send(encoder, "x", true);
    expect(transport.ended).toBe(false);
    transport.receive(GET);
    server.streams[1]?.encoder.sendHeaders(responseHeaders(200), true);
    expect(transport.ended).toBe(true);
  });

  it("closes when a response ends before its request, and discards the rest", () => {
    const { encoder, request, transport, server } = served(
      "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 99\r\n\r\nab",
    );
    encoder.sendHeaders(responseHeaders(413), true);
    expect(transport.output).toContain("connection: close");
    transport.receive(`${"c".repeat(97)}${GET}`);
    expect([request.body, request.calls, request.ended]).toEqual(["ab", 2, false]);
    expect([transport.ended, server.streams.length]).toEqual([true, 1]);
  });

  it("waits only so long, and discards only so much, for a client to read its last answer", () => {
    const slow = serve({ lingerTimeout: 500 });
    slow.transport.receive("bad\r\n");
    expect([slow.transport.ended, slow.transport.destroyed]).toEqual([true, false]);
    slow.clock.advance(700);
    expect(slow.transport.destroyed).toBe(true);
    const chatty = serve({ lingerBytes: 1000 });
    chatty.transport.receive("bad\r\n");
    chatty.transport.receive("x".repeat(900));
    expect(chatty.transport.destroyed).toBe(false);
    chatty.transport.receive("x".repeat(900));
    expect(chatty.transport.destroyed).toBe(true);
  });

  it("gives a client that reads slowly the time to, and one that reads nothing a limit", () => {
    const slow = serve({ lingerTimeout: 500, flushTimeout: 2000 });
    slow.transport.unsent = 5000;
    slow.transport.receive("bad\r\n");
    for (let left = 4000; left >= 0; left -= 1000) {
      slow.clock.advance(1900);
      expect([left, slow.transport.destroyed]).toEqual([left, false]);
      slow.transport.unsent = left;
    }
    slow.clock.advance(1300);
    expect(slow.transport.destroyed).toBe(true);
    const deaf = serve({ lingerTimeout: 500, flushTimeout: 2000 });
    deaf.transport.unsent = 5000;
    deaf.transport.receive("bad\r\n");
    deaf.clock.advance(2700);
    expect(deaf.transport.destroyed).toBe(true);
  });

  it("gives a slow head 408 and an idle client nothing", () => {
    const { clock, transport, server } = serve({ headersTimeout: 1000 });
    clock.advance(60_000);
    expect(transport.ended).toBe(false);
    transport.receive("GET /slow HTTP/1.1\r\nhost: a\r\n");
    for (let i = 0; i < 11; i++) {
      clock.advance(100);
      transport.receive("x");
    }
    expect(transport.output).toMatch(/^HTTP\/1\.1 408 [\s\S]*request_header_timeout/);
    expect(server.refused[0]).toMatchObject({ status: 408, method: "GET", path: "/slow", authority: "a" });
  });

  it("does not count a request that arrived in pieces, but in time, as slow", () => {
    const { clock, transport, server } = serve({ headersTimeout: 1000 });
    server.onRequest = answerOk;
    transport.receive(GET, [10]);
    clock.advance(5000);
    expect(transport.output).toBe(OK);
    expect([clock.pending, transport.ended]).toEqual([0, false]);
  });

  it("closes after it was idle, not while a stream is open", () => {
    const { clock, transport, server, encoder } = served(GET, { idleTimeout: 1000 });
    clock.advance(5000);
    expect(transport.ended).toBe(false);
    encoder.sendHeaders(responseHeaders(200), true);
    clock.advance(700);
    transport.receive(GET);
    server.streams[1]?.encoder.sendHeaders(responseHeaders(200), true);
    clock.advance(700);
    expect(transport.ended).toBe(false);
    clock.advance(600);
    expect(transport.ended).toBe(true);
  });

  it("leaves no timer behind", async () => {
    const { clock, transport, server } = serve({ idleTimeout: 1000, headersTimeout: 1000 });
    transport.receive("GET / HT");
    transport.receiveError(new Error("reset"));
    await settle();
    clock.advance(200);
    expect([server.closed, server.refused.length]).toEqual([1, 0]);
    clock.advance(5000);
    expect(clock.pending).toBe(0);
  });

  it("ends in order when an idle client does", async () => {
    const { transport, server } = serve();
    transport.receiveEnd();
    await settle();
    expect([transport.ended, server.closed, server.refused.length]).toEqual([true, 1, 0]);
  });

  it("resets the stream of a client that ends while its request waits", async () => {
    const { transport, request, server } = served();
    transport.receiveEnd();
    await settle();
    expect([request.resetBy, server.closed]).toEqual(["connection-termination", 1]);
  });

  it("resets its stream as local when it is closed by its owner", async () => {
    const { connection, request, server } = served();
    expect(connection.activeStreams).toBe(1);
    connection.close();
    expect(request.resetBy, "not from inside the call").toBeNull();
    await settle();
    expect([request.resetBy, server.closed, connection.activeStreams]).toEqual(["local", 1, 0]);
  });

  it("is closed by the reset of a stream, whose decoder hears no more", async () => {
    const { encoder, request, transport, server } = served("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\nab");
    encoder.reset("local");
    encoder.reset("local");
    encoder.sendHeaders(responseHeaders(200), true);
    transport.receive("more");
    await settle();
    expect([request.resetBy, request.calls, transport.output, server.closed]).toEqual([null, 2, "", 1]);
  });

  it("tells the open stream when the client reads again", () => {
    const { encoder, request, transport } = served();
    transport.congested = true;
    expect(encoder.congested).toBe(true);
    transport.drain();
    expect([encoder.congested, request.drains]).toEqual([false, 1]);
  });
});

describe("pauseReading", () => {
  const head = "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n";

  it("stops the body at once, in the middle of what was read, and is counted", async () => {
    const { transport, server } = serve();
    server.onHeaders = ({ encoder }) => {
      encoder.pauseReading();
      encoder.pauseReading();
    };
    transport.receive(`${head}1\r\na\r\n1\r\nb\r\n0\r\n\r\n${GET}`);
    const [stream] = server.streams;
    expect([stream?.request.body, transport.paused]).toEqual(["", true]);
    stream?.encoder.resumeReading();
    await settle();
    expect(stream?.request.body).toBe("");
    stream?.encoder.resumeReading();
    expect(stream?.request.body, "not from inside the call").toBe("");
    await settle();
    expect([stream?.request.body, stream?.request.ended]).toEqual(["ab", true]);
  });

  it("may be called from inside onData and holds back the rest", async () => {
    const { transport, server } = serve();
    server.onHeaders = ({ request, encoder }) => {
      const next = request.onEvent;
      request.onEvent = (event) => {
        if (event === "data") encoder.pauseReading();
        next(event);
      };
    };
    transport.receive(`${head}1\r\na\r\n1\r\nb\r\n0\r\n\r\n`);
    expect(server.requests[0]?.body).toBe("a");
    server.streams[0]?.encoder.resumeReading();
    await settle();
    expect(server.requests[0]?.body).toBe("ab");
  });

  it("does not outlive its stream: the next request is read", async () => {
    const { transport, server } = serve();
    server.onHeaders = ({ encoder }) => encoder.pauseReading();
    server.onRequest = answerOk;
    transport.receive(`POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\n\r\nx${GET}`);
    server.onHeaders = () => {};
    server.streams[0]?.encoder.resumeReading();
    await settle();
    expect([transport.output, transport.paused]).toEqual([OK.repeat(2), false]);
  });
});

describe("HTTP/1.0, where it is accepted", () => {
  const options = { acceptHttp10: true, defaultHostForHttp10: "fallback" };

  it("closes after the response, which ends with the connection when it has no length", () => {
    const { encoder, request, transport } = served("GET / HTTP/1.0\r\n\r\n", options);
    expect([encoder.protocol, request.get(":authority")]).toEqual(["HTTP/1.0", "fallback"]);
    encoder.sendInformational(responseHeaders(100));
    encoder.sendHeaders(responseHeaders(200), false);
    send(encoder, "abc", true);
    expect(transport.output).toBe("HTTP/1.0 200 OK\r\nconnection: close\r\n\r\nabc");
    expect(transport.ended).toBe(true);
  });

  it("stays open when the client asks for it and the length is known", () => {
    const { encoder, transport } = served("GET / HTTP/1.0\r\nhost: a\r\nconnection: keep-alive\r\n\r\n", options);
    encoder.sendHeaders(responseHeaders(200, [["content-length", "1"]]), false);
    send(encoder, "x", true);
    expect(transport.output).toBe("HTTP/1.0 200 OK\r\ncontent-length: 1\r\nconnection: keep-alive\r\n\r\nx");
    expect(transport.ended).toBe(false);
  });

  it("may not have a transfer-encoding, and needs a host where there is none to fall back to", () => {
    const chunked = serve(options);
    chunked.transport.receive("POST / HTTP/1.0\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n");
    expect(chunked.server.refused[0]?.code).toBe("http1.transfer_encoding_in_http10");
    const homeless = serve({ acceptHttp10: true });
    homeless.transport.receive("GET / HTTP/1.0\r\n\r\n");
    expect(homeless.server.refused[0]?.code).toBe("missing_host_header");
  });
});

describe("an upgrade", () => {
  const UPGRADE = "GET /chat HTTP/1.1\r\nhost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n\r\n";

  it("turns the connection into a tunnel with 101, half by half", async () => {
    const { encoder, request, transport, server } = served(`${UPGRADE}early`);
    expect([request.ended, request.body, request.get("upgrade")]).toEqual([false, "", "websocket"]);
    encoder.sendHeaders(
      responseHeaders(101, [
        ["upgrade", "websocket"],
        ["connection", "upgrade"],
        ["x", "1"],
      ]),
      false,
    );
    await settle();
    expect(transport.takeOutput()).toBe(
      "HTTP/1.1 101 Switching Protocols\r\nx: 1\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n",
    );
    transport.receive("\0GET / HTTP/1.1\r\n");
    send(encoder, "server bytes", false);
    expect([request.body, transport.output]).toEqual(["early\0GET / HTTP/1.1\r\n", "server bytes"]);
    transport.receiveEnd();
    expect([request.ended, transport.ended]).toEqual([true, false]);
    send(encoder, "last", true);
    transport.destroy();
    await settle();
    expect([transport.output.endsWith("last"), server.closed, request.resetBy]).toEqual([true, 1, null]);
  });

  it("that is declined ends the connection, and what was sent ahead is nobody's", async () => {
    const { encoder, request, transport, server } = served(`${UPGRADE}${GET}`);
    encoder.sendHeaders(responseHeaders(403, [["content-length", "2"]]), false);
    send(encoder, "no", true);
    await settle();
    expect(transport.output).toMatch(/content-length: 2\r\nconnection: close\r\n\r\nno$/);
    expect([transport.ended, server.streams.length, request.calls]).toEqual([true, 1, 1]);
  });

  it.each([
    ["h2c", "connection: upgrade, http2-settings\r\nupgrade: h2c\r\nhttp2-settings: AAA\r\n"],
    ["one that connection does not name", "upgrade: websocket\r\n"],
  ])("of another kind is ignored: %s", (_name, fields) => {
    const { request } = served(`GET / HTTP/1.1\r\nhost: a\r\n${fields}\r\n`);
    expect([request.ended, request.get("upgrade"), request.get("http2-settings")]).toEqual([true, null, null]);
  });

  it("of a request with a body is ignored, the body is read", () => {
    const { request } = served(
      "POST / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: x\r\ncontent-length: 2\r\n\r\nab",
    );
    expect([request.get("upgrade"), request.body, request.ended]).toEqual([null, "ab", true]);
  });
});

describe("CONNECT, where it is accepted", () => {
  it("opens a tunnel with any 2xx", async () => {
    const { encoder, request, transport } = served("CONNECT a:443 HTTP/1.1\r\nhost: b\r\n\r\nhello", {
      acceptConnect: true,
    });
    expect([request.get(":authority"), request.get(":path"), request.ended]).toEqual(["a:443", null, false]);
    encoder.sendHeaders(responseHeaders(200, [["content-length", "5"]]), false);
    await settle();
    expect([transport.output, request.body]).toEqual(["HTTP/1.1 200 OK\r\n\r\n", "hello"]);
  });
});
