/** A certificate to show and its key, PEM. */
export interface KeyPair {
  /** Leaf first, intermediates after it. */
  readonly certificateChain: string;
  readonly privateKey: string;
}

/** What peers' certificates must lead up to: PEM certificates. */
export interface TrustedRoots {
  readonly trustedCa: string;
  /** Revocation lists of theirs, PEM; empty or absent: none. */
  readonly revocations?: string;
}

/** A secret as the data plane needs it. */
export type SecretValue = KeyPair | TrustedRoots;

/** Secrets by name, with the news of their changes. Nothing in it is ever logged, dumped or kept on disk. */
export interface SecretSource {
  /** Null until the secret has come. */
  get(name: string): SecretValue | null;
  /** Those that have come. */
  names(): Iterable<string>;
  /** Asks for a secret and hears of each change; the result ends that. */
  subscribe(name: string, onChange: () => void): () => void;
}

/** Secrets that somebody sets: static ones of a bootstrap, those of the agent, those of SDS. */
export class SecretStore implements SecretSource {
  readonly #values = new Map<string, SecretValue>();
  readonly #listeners = new Map<string, Set<() => void>>();
  readonly #onWanted: (names: ReadonlySet<string>) => void;

  /** `onWanted` hears which secrets are asked for, whenever that changes. */
  constructor(onWanted: (names: ReadonlySet<string>) => void = () => {}) {
    this.#onWanted = onWanted;
  }

  get(name: string): SecretValue | null {
    return this.#values.get(name) ?? null;
  }

  names(): Iterable<string> {
    return this.#values.keys();
  }

  set(name: string, value: SecretValue): void {
    this.#values.set(name, value);
    for (const listener of [...(this.#listeners.get(name) ?? [])]) listener();
  }

  /** New connections that need the secret are refused from now on. */
  remove(name: string): void {
    if (!this.#values.delete(name)) return;
    for (const listener of [...(this.#listeners.get(name) ?? [])]) listener();
  }

  subscribe(name: string, onChange: () => void): () => void {
    const listeners = this.#listeners.get(name) ?? new Set();
    listeners.add(onChange);
    if (listeners.size === 1) {
      this.#listeners.set(name, listeners);
      this.#onWanted(new Set(this.#listeners.keys()));
    }
    return () => {
      if (!listeners.delete(onChange) || listeners.size > 0) return;
      this.#listeners.delete(name);
      this.#onWanted(new Set(this.#listeners.keys()));
    };
  }
}
