import type { FakeStream } from "@mixerless/sdk/testing";
import type { HttpCallClient, HttpCallRequest, HttpCallResponse } from "@mixerless/wasm";

/** Calls of a module to clusters, noted at the stream whose callback makes them. */
export class FakeCalls implements HttpCallClient {
  #stream: FakeStream | null = null;

  /** Runs a callback of this stream. */
  during<T>(stream: FakeStream, callback: () => T): T {
    this.#stream = stream;
    try {
      return callback();
    } finally {
      this.#stream = null;
    }
  }

  hasCluster(): boolean {
    return true;
  }

  call(request: HttpCallRequest, done: (response: HttpCallResponse | null) => void): { cancel(): void } | null {
    const stream = this.#stream;
    if (stream === null) return null;
    const { cluster, headers, timeout } = request;
    const sent = {
      ...{ cluster, body: request.body.toString("latin1"), milliseconds: timeout },
      headers: headers.map(([name, value]): [string, string] => [name, value]),
    };
    stream.call(sent, ({ answered }) => {
      const body = Buffer.from(answered?.body ?? "", "latin1");
      const response = answered === null ? null : { headers: answered.headers, body, trailers: [] };
      this.during(stream, () => done(response));
    });
    return { cancel() {} };
  }
}
