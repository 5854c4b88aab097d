import type { Clock, Timer } from "@mixerless/clock";
import type { FromWorker, StartWorker, ToWorker, WorkerLink, WorkerState } from "./messages.ts";
import { Questions } from "./questions.ts";

export interface GroupOptions {
  readonly clock: Clock;
  readonly log: (message: string) => void;
  readonly count: number;
  readonly startWorker: StartWorker;
  /** What the worker of a slot is told first, one that starts in place of another too. */
  readonly introduction: (slot: number) => readonly ToWorker[];
  readonly onState: () => void;
  readonly onWants: (worker: LivingWorker, secrets: readonly string[]) => void;
  /** A worker has ended that was not asked to; `number` is never used again. */
  readonly onDeath: (number: number) => void;
}

/** A worker that lives. */
export interface LivingWorker {
  /** Another one for each process. */
  readonly number: number;
  readonly questions: Questions;
  readonly link: WorkerLink;
  state: WorkerState;
  /** Wishes to drain that were sent. */
  drains: number;
}

const NO_STATE: WorkerState = { ready: false, activeConnections: 0, listeners: [], drains: 0 };
/** A worker that lived for less is not started again at once, milliseconds. */
const YOUNG = 5000;
const FIRST_DELAY = 100;
const LONGEST_DELAY = 10_000;
/** Milliseconds that workers have to close. */
const STOP_PATIENCE = 2000;

/** Keeps the wished number of workers alive. */
export class WorkerGroup {
  readonly #options: GroupOptions;
  readonly #living = new Map<number, LivingWorker>();
  readonly #restarts = new Set<Timer>();
  #numbers = 0;
  #delay = 0;
  #closing: (() => void) | null = null;
  #started = 0;
  #begin: { resolve: () => void; reject: (error: Error) => void } | null = null;

  constructor(options: GroupOptions) {
    this.#options = options;
  }

  get living(): readonly LivingWorker[] {
    return [...this.#living.values()];
  }

  /** Resolves when every worker has bound its static listeners or said why not. */
  async start(): Promise<void> {
    const started = new Promise<void>((resolve, reject) => {
      this.#begin = { resolve, reject };
    });
    for (let slot = 1; slot <= this.#options.count; slot++) this.#start(slot);
    await started;
    this.#begin = null;
  }

  tell(message: ToWorker): void {
    for (const worker of this.#living.values()) {
      if (message.type === "drain") worker.drains++;
      worker.link.send(message);
    }
  }

  /** Resolves when no worker lives any more. */
  async close(): Promise<void> {
    for (const timer of this.#restarts) timer.cancel();
    const gone = new Promise<void>((resolve) => {
      this.#closing = resolve;
    });
    if (this.#living.size === 0) return;
    this.tell({ type: "stop" });
    const limit = this.#options.clock.after(STOP_PATIENCE, () => {
      for (const { link } of this.#living.values()) link.kill();
    });
    await gone;
    limit.cancel();
  }

  #start(slot: number): void {
    const { clock, startWorker, introduction } = this.#options;
    const number = ++this.#numbers;
    const since = clock.monotonic();
    const link = startWorker({
      onMessage: (message) => this.#received(worker, message),
      onExit: (reason) => this.#ended(slot, worker, reason, clock.monotonic() - since),
    });
    const questions = new Questions(clock, (message) => link.send(message));
    const worker: LivingWorker = { number, link, questions, state: NO_STATE, drains: 0 };
    this.#living.set(number, worker);
    for (const message of introduction(slot)) {
      if (message.type === "drain") worker.drains++;
      link.send(message);
    }
  }

  #received(worker: LivingWorker, message: FromWorker): void {
    switch (message.type) {
      case "state":
        worker.state = message.state;
        this.#options.onState();
        return;
      case "started":
        this.#started++;
        if (this.#started >= this.#options.count) this.#begin?.resolve();
        return;
      case "wants":
        this.#options.onWants(worker, message.secrets);
        return;
      case "failed":
        if (this.#begin === null) this.#options.log(`Worker with pid ${worker.link.pid} failed: ${message.reason}`);
        else this.#begin.reject(new Error(message.reason));
        worker.link.kill();
        return;
      default:
        worker.questions.replied(message);
    }
  }

  #ended(slot: number, worker: LivingWorker, reason: string, lived: number): void {
    const { clock, log, onDeath, onState } = this.#options;
    this.#living.delete(worker.number);
    worker.questions.close(`the worker ended with ${reason}`);
    if (this.#closing !== null) {
      if (this.#living.size === 0) this.#closing();
      return;
    }
    onDeath(worker.number);
    onState();
    const who = `Worker ${slot} (pid ${worker.link.pid}) ended with ${reason}`;
    if (this.#begin !== null) {
      this.#begin.reject(new Error(`${who} before it served.`));
      return;
    }
    this.#delay = lived < YOUNG ? Math.min(Math.max(this.#delay * 2, FIRST_DELAY), LONGEST_DELAY) : 0;
    log(`${who}; another one starts${this.#delay === 0 ? "" : ` in ${this.#delay} ms`}.`);
    const timer = clock.after(this.#delay, () => {
      this.#restarts.delete(timer);
      this.#start(slot);
    });
    this.#restarts.add(timer);
  }
}
