import type { FakeHeaders } from "./fake-headers.ts";

/** What a plugin has sent to a cluster. */
export interface FakeCallRequest {
  /** Its name. */
  readonly cluster: string;
  /** Pseudo-headers among them. */
  readonly headers: FakeHeaders;
  /** A byte string. */
  readonly body: string;
  /** How long it waits. */
  readonly milliseconds: number;
}

/** What came back. */
export interface FakeCallAnswer {
  /** `:status` first. */
  readonly headers: FakeHeaders;
  /** A byte string. */
  readonly body: string;
}

/** A request of a plugin to a cluster, which a test answers. */
export class FakeCall {
  /** What the plugin has sent. */
  readonly request: FakeCallRequest;
  readonly #done: (call: FakeCall) => void;
  /** What came back; null: nothing yet, or the connection was reset. */
  answered: FakeCallAnswer | null = null;
  #over = false;

  /** `done` runs once, when there is an answer or a failure. */
  constructor(request: FakeCallRequest, done: (call: FakeCall) => void) {
    this.request = request;
    this.#done = done;
  }

  /** The cluster answers. */
  answer(status: number, body = "", headers: FakeHeaders = []): void {
    this.#finish({ headers: [[":status", String(status)], ...headers], body });
  }

  /** The connection is reset before an answer. */
  reset(): void {
    this.#finish(null);
  }

  #finish(answer: FakeCallAnswer | null): void {
    if (this.#over) throw new Error("the call was answered before");
    this.#over = true;
    this.answered = answer;
    this.#done(this);
  }
}
