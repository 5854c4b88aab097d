import type { HttpContext } from "../contexts/http-context.ts";
import type { TcpContext } from "../contexts/tcp-context.ts";
import type { HttpStreamHost, LocalReply, StateSpan, TcpStreamHost } from "../vm/stream-host.ts";
import { FakeHeaders } from "./fake-headers.ts";

type Fields = readonly (readonly [name: string, value: string])[];

export const GET: Fields = [
  [":method", "GET"],
  [":path", "/"],
  [":authority", "example.com"],
  [":scheme", "http"],
];

class FakeState {
  readonly state = new Map<string, { value: string; span: StateSpan }>();
  /** What happened, in order. */
  readonly events: string[] = [];
  readonly attributes: Record<string, unknown> = {};

  getState(name: string): string | null {
    return this.state.get(name)?.value ?? null;
  }

  setState(name: string, value: string, span: StateSpan): void {
    this.state.set(name, { value, span });
  }
}

/** An HTTP stream without a proxy around it: a test says what comes, and reads what the plugin made of it. */
export class FakeHttpStream extends FakeState implements HttpStreamHost {
  readonly maps: (FakeHeaders | null)[] = [null, null, null, null];
  readonly replies: LocalReply[] = [];
  context: HttpContext | null = null;

  constructor(request: Fields = GET) {
    super();
    this.maps[0] = new FakeHeaders(request);
  }

  headers(map: number): FakeHeaders | null {
    return this.maps[map] ?? null;
  }

  addTrailers(map: number): FakeHeaders {
    this.maps[map] ??= new FakeHeaders();
    return this.maps[map] as FakeHeaders;
  }

  continueRequest(): void {
    this.events.push("continue request");
  }

  continueResponse(): void {
    this.events.push("continue response");
  }

  sendLocalReply(reply: LocalReply): void {
    this.replies.push(reply);
    this.events.push(`reply ${reply.status} ${reply.details}`);
  }

  resetStream(details: string): void {
    this.events.push(`reset ${details}`);
  }

  clearRouteCache(): void {
    this.events.push("clear route");
  }

  /** Hands the response's headers to the stream. */
  respond(fields: Fields = [[":status", "200"]]): FakeHeaders {
    const headers = new FakeHeaders(fields);
    this.maps[2] = headers;
    return headers;
  }

  trailers(map: 1 | 3, fields: Fields): void {
    this.maps[map] = new FakeHeaders(fields);
  }
}

export class FakeTcpStream extends FakeState implements TcpStreamHost {
  context: TcpContext | null = null;

  continueDownstream(): void {
    this.events.push("continue");
  }

  continueUpstream(): void {
    this.events.push("continue upstream");
  }

  close(details: string): void {
    this.events.push(`close ${details}`);
  }
}
