import { Agent } from "node:http";
import { fetchPage } from "./fetch-page.ts";

/** Page views without a pause, several at a time, and the ledger of their answers. */
export class Load {
  /** Status, or `error <message>`, → number of answers. */
  readonly answers = new Map<string, number>();
  readonly #url: string;
  readonly #agent = new Agent({ keepAlive: true });
  #stopped = false;
  readonly #workers: Promise<void>[];

  constructor(url: string, concurrency = 4) {
    this.#url = url;
    this.#workers = Array.from({ length: concurrency }, () => this.#work());
  }

  get total(): number {
    return [...this.answers.values()].reduce((sum, count) => sum + count, 0);
  }

  /** Resolves after so many more answers. */
  async more(count: number): Promise<void> {
    const goal = this.total + count;
    while (this.total < goal) await new Promise((wake) => setImmediate(wake));
  }

  /** Resolves when every view has its answer. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#workers);
    this.#agent.destroy();
  }

  async #work(): Promise<void> {
    while (!this.#stopped) {
      const answer = await fetchPage(this.#url, this.#agent).then(
        ({ status }) => String(status),
        (error: Error) => `error ${error.message}`,
      );
      this.answers.set(answer, (this.answers.get(answer) ?? 0) + 1);
    }
  }
}
