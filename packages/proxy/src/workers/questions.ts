import type { Clock, Timer } from "@mixerless/clock";
import type { FromWorker, ToWorker } from "./messages.ts";

/** An answer of a worker's admin interface. */
export interface WorkerAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: AsyncIterable<Uint8Array>;
}

interface Waiting {
  readonly resolve: (message: Reply) => void;
  readonly reject: (error: Error) => void;
  readonly timer: Timer;
}

type Reply = Extract<FromWorker, { id: number }>;

/** Milliseconds that a worker may take for the next piece of an answer. */
const PATIENCE = 5000;

/**
 * Questions to the admin interface of one worker. The body comes a piece at a time and only when the next one is
 * wanted, so that neither side keeps a large answer.
 */
export class Questions {
  readonly #clock: Clock;
  readonly #send: (message: ToWorker) => void;
  readonly #waiting = new Map<number, Waiting>();
  #last = 0;
  #gone = false;

  constructor(clock: Clock, send: (message: ToWorker) => void) {
    this.#clock = clock;
    this.#send = send;
  }

  /** Rejects when the worker ends or does not answer in time. */
  async ask(path: string, query = "", accept = ""): Promise<WorkerAnswer> {
    const id = ++this.#last;
    const answer = await this.#exchange(id, { type: "ask", id, path, query, accept });
    if (answer.type !== "answer") throw new Error("the worker answered out of turn");
    return { status: answer.status, contentType: answer.contentType, body: this.#body(id) };
  }

  replied(reply: Reply): void {
    const waiting = this.#end(reply.id);
    if (reply.type === "fault") waiting?.reject(new Error(reply.reason));
    else waiting?.resolve(reply);
  }

  /** The worker has ended. */
  close(reason: string): void {
    this.#gone = true;
    for (const id of [...this.#waiting.keys()]) this.#end(id)?.reject(new Error(reason));
  }

  async *#body(id: number): AsyncGenerator<Uint8Array> {
    let done = false;
    try {
      for (;;) {
        const reply = await this.#exchange(id, { type: "next", id });
        done = reply.type !== "piece" || reply.piece === null;
        if (reply.type !== "piece" || reply.piece === null) return;
        yield reply.piece;
      }
    } finally {
      if (!done) this.#send({ type: "cancel", id });
    }
  }

  #exchange(id: number, message: ToWorker): Promise<Reply> {
    return new Promise((resolve, reject) => {
      if (this.#gone) {
        reject(new Error("the worker has ended"));
        return;
      }
      const timer = this.#clock.after(PATIENCE, () => {
        this.#end(id)?.reject(new Error(`the worker did not answer within ${PATIENCE / 1000} s`));
      });
      this.#waiting.set(id, { resolve, reject, timer });
      this.#send(message);
    });
  }

  #end(id: number): Waiting | undefined {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    waiting?.timer.cancel();
    return waiting;
  }
}

/** All of a body as text. */
export async function textOf(body: AsyncIterable<Uint8Array>): Promise<string> {
  const pieces: Uint8Array[] = [];
  for await (const piece of body) pieces.push(piece);
  return Buffer.concat(pieces).toString("utf8");
}
