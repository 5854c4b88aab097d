import type { AdminHandler } from "@mixerless/admin-server";
import type { FromWorker, ToWorker } from "./messages.ts";

/** Bodies under way at the same time; whoever asks for more gets an error. */
const LIMIT = 64;

/** The admin interface of a worker, which answers to the primary instead of a port. */
export class Answers {
  readonly #handlers: ReadonlyMap<string, AdminHandler>;
  readonly #send: (message: FromWorker) => void;
  readonly #bodies = new Map<number, AsyncIterator<string | Uint8Array>>();

  constructor(handlers: readonly AdminHandler[], send: (message: FromWorker) => void) {
    this.#handlers = new Map(handlers.map((handler) => [handler.path, handler]));
    this.#send = send;
  }

  async asked({ id, path, query, accept }: Extract<ToWorker, { type: "ask" }>): Promise<void> {
    try {
      const handler = this.#handlers.get(path);
      if (handler === undefined) throw new Error(`there is no ${path}`);
      if (this.#bodies.size >= LIMIT) throw new Error("too many answers are under way");
      const headers = accept === "" ? {} : { accept };
      const { status, contentType, body } = await handler.handle(new URLSearchParams(query), { headers });
      this.#bodies.set(id, iterate(body));
      this.#send({ type: "answer", id, status: status ?? 200, contentType: contentType ?? "text/plain" });
    } catch (error) {
      this.#fail(id, error);
    }
  }

  async next(id: number): Promise<void> {
    try {
      const step = await this.#bodies.get(id)?.next();
      if (step === undefined || step.done === true) {
        this.#bodies.delete(id);
        this.#send({ type: "piece", id, piece: null });
        return;
      }
      const piece = typeof step.value === "string" ? Buffer.from(step.value) : step.value;
      this.#send({ type: "piece", id, piece });
    } catch (error) {
      this.#fail(id, error);
    }
  }

  cancel(id: number): void {
    const body = this.#bodies.get(id);
    this.#bodies.delete(id);
    void body?.return?.();
  }

  #fail(id: number, error: unknown): void {
    this.#bodies.delete(id);
    this.#send({ type: "fault", id, reason: error instanceof Error ? error.message : String(error) });
  }
}

async function* iterate(body: string | AsyncIterable<string | Uint8Array>): AsyncGenerator<string | Uint8Array> {
  if (typeof body === "string") yield body;
  else yield* body;
}
