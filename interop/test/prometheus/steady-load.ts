import { Agent, request } from "node:http";

/** Requests at an even rate whatever the answers take, and the ledger of what was asked and answered. */
export class SteadyLoad {
  /** `path status` → answers. */
  readonly answers = new Map<string, number>();
  /** Milliseconds that the slowest answer took. */
  slowest = 0;
  readonly #ingress: string;
  readonly #rate: number;
  readonly #paths: readonly string[];
  readonly #agent = new Agent({ keepAlive: true });
  readonly #open = new Set<Promise<void>>();
  readonly #started = performance.now();
  readonly #timer: NodeJS.Timeout;
  #sent = 0;

  /** The paths take turns. */
  constructor(ingress: string, rate: number, paths: readonly string[]) {
    this.#ingress = ingress;
    this.#rate = rate;
    this.#paths = paths;
    this.#timer = setInterval(() => this.#catchUp(), 5);
  }

  /** Answers a second of a path, as it was sent. */
  rate(path: string): number {
    return (this.#rate * this.#paths.filter((entry) => entry === path).length) / this.#paths.length;
  }

  count(path: string, status: number): number {
    return this.answers.get(`${path} ${status}`) ?? 0;
  }

  /** Resolves with the number of requests when all are answered and the paths had equal turns. */
  async stop(): Promise<number> {
    clearInterval(this.#timer);
    while (this.#sent % this.#paths.length !== 0) this.#send();
    await Promise.all(this.#open);
    this.#agent.destroy();
    return this.#sent;
  }

  #catchUp(): void {
    const due = Math.floor(((performance.now() - this.#started) / 1000) * this.#rate);
    while (this.#sent < due) this.#send();
  }

  #send(): void {
    const path = this.#paths[this.#sent++ % this.#paths.length] ?? "/";
    const begun = performance.now();
    const done = new Promise<void>((resolve) => {
      const finish = (status: number | string) => {
        this.slowest = Math.max(this.slowest, performance.now() - begun);
        const key = `${path} ${status}`;
        this.answers.set(key, (this.answers.get(key) ?? 0) + 1);
        resolve();
      };
      const call = request(`${this.#ingress}${path}`, { agent: this.#agent }, (response) => {
        response.resume().on("end", () => finish(response.statusCode ?? 0));
      });
      call.on("error", (error) => finish(error.message));
      call.end();
    });
    this.#open.add(done);
    void done.then(() => this.#open.delete(done));
  }
}
