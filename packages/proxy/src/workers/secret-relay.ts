import type { SecretSource } from "../tls/secret-store.ts";
import type { ToWorker } from "./messages.ts";

/** Hands the secrets that a worker wants on to it, and each change of them. */
export class SecretRelay {
  readonly #source: SecretSource;
  readonly #send: (message: ToWorker) => void;
  readonly #subscriptions = new Map<string, () => void>();

  constructor(source: SecretSource, send: (message: ToWorker) => void) {
    this.#source = source;
    this.#send = send;
  }

  /** What the worker wants from now on. */
  want(names: readonly string[]): void {
    for (const [name, unsubscribe] of this.#subscriptions) {
      if (names.includes(name)) continue;
      this.#subscriptions.delete(name);
      unsubscribe();
    }
    for (const name of names) {
      if (this.#subscriptions.has(name)) continue;
      const tell = () => this.#send({ type: "secret", name, value: this.#source.get(name) });
      this.#subscriptions.set(name, this.#source.subscribe(name, tell));
      if (this.#source.get(name) !== null) tell();
    }
  }

  close(): void {
    this.want([]);
  }
}
