import type { Clock } from "@mixerless/clock";

/** A token and its life; what went wrong holds no secret. */
export type TokenAnswer = { readonly token: string; readonly lifetime: number } | TokenFault;

export interface TokenFault {
  readonly fault: string;
}

/** Fetches a new token. Never rejects; `lifetime` in milliseconds. */
export type FetchToken = () => Promise<TokenAnswer>;

/** Before its end a token is renewed, in milliseconds. */
const RENEWAL_MARGIN = 60_000;
/** After a failure nobody is asked again for so long, in milliseconds. */
const PAUSE = 5000;

/** Keeps one token until shortly before its end. */
export class TokenSource {
  readonly #clock: Clock;
  readonly #fetch: FetchToken;
  #current: { readonly token: string; readonly until: number } | null = null;
  #failed: { readonly answer: TokenFault; readonly until: number } | null = null;
  #fetching: Promise<string | TokenFault> | null = null;

  constructor(clock: Clock, fetch: FetchToken) {
    this.#clock = clock;
    this.#fetch = fetch;
  }

  /** The token, or why there is none. Those who ask at the same time share one answer. */
  get(): Promise<string | TokenFault> {
    const now = this.#clock.monotonic();
    if (this.#current !== null && now < this.#current.until) return Promise.resolve(this.#current.token);
    if (this.#failed !== null && now < this.#failed.until) return Promise.resolve(this.#failed.answer);
    this.#fetching ??= this.#renew().finally(() => {
      this.#fetching = null;
    });
    return this.#fetching;
  }

  /** Somebody was told that the token is none. */
  invalidate(): void {
    this.#current = null;
  }

  async #renew(): Promise<string | TokenFault> {
    const answer = await this.#fetch();
    const now = this.#clock.monotonic();
    if ("fault" in answer) {
      this.#failed = { answer, until: now + PAUSE };
      return answer;
    }
    const { token, lifetime } = answer;
    // Of a short life at least half is used.
    this.#current = { token, until: now + Math.max(lifetime - RENEWAL_MARGIN, lifetime / 2) };
    return token;
  }
}
