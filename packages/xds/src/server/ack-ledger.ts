import type { ErrorDetail } from "../messages.ts";
import { parseRefusal, type RefusedResource, truncateRefusal } from "../refusal.ts";

/** A response as it was sent or answered. */
export interface ResponseStamp {
  readonly version: string;
  readonly nonce: string;
  /** Milliseconds since the epoch. */
  readonly time: number;
}

/** A response that the client refused. */
export interface Nack extends ResponseStamp {
  readonly code: number;
  readonly message: string;
  /** The resources that the message names, as far as it names any. */
  readonly resources: readonly RefusedResource[];
}

/** Which response an answer was about: the newest, one before it, or none that waits. */
export type AnsweredResponse = "current" | "earlier" | "unknown";

interface InFlight {
  readonly version: string;
  readonly names: readonly string[];
}

/** A client that never answers is remembered for so many responses. */
const MAX_IN_FLIGHT = 32;

/** What was sent for one type on one stream, and what the client said to it. */
export class AckLedger {
  #sent: ResponseStamp | null = null;
  #acked: ResponseStamp | null = null;
  #nacked: Nack | null = null;
  readonly #refused = new Map<string, Nack>();
  readonly #inFlight = new Map<string, InFlight>();
  #givenUp = false;

  get sent(): ResponseStamp | null {
    return this.#sent;
  }

  get acked(): ResponseStamp | null {
    return this.#acked;
  }

  /** The last refusal, until the newest response is accepted. */
  get nacked(): Nack | null {
    return this.#nacked;
  }

  /** True while a response has no answer. */
  get waiting(): boolean {
    return this.#inFlight.size > 0 && !this.#givenUp;
  }

  /** Resources whose last version was refused and not replaced by an accepted one since. */
  get refused(): ReadonlyMap<string, Nack> {
    return this.#refused;
  }

  /** Names in responses without an answer. */
  waitingNames(): Set<string> {
    const names = new Set<string>();
    for (const response of this.#inFlight.values()) for (const name of response.names) names.add(name);
    return names;
  }

  onSent(stamp: ResponseStamp, names: readonly string[]): void {
    this.#sent = stamp;
    this.#givenUp = false;
    this.#inFlight.set(stamp.nonce, { version: stamp.version, names });
    if (this.#inFlight.size > MAX_IN_FLIGHT) {
      const [oldest] = this.#inFlight.keys();
      if (oldest !== undefined) this.#inFlight.delete(oldest);
    }
  }

  which(nonce: string): AnsweredResponse {
    if (nonce === this.#sent?.nonce) return "current";
    return this.#inFlight.has(nonce) ? "earlier" : "unknown";
  }

  onAck(nonce: string, time: number): AnsweredResponse {
    const which = this.which(nonce);
    const sent = this.#sent;
    if (which === "earlier") this.#accept(nonce);
    if (which !== "current" || sent === null) return which;
    this.#acked = { version: sent.version, nonce, time };
    this.#nacked = null;
    // Answers come in the order of the responses, so an answer to the newest settles those before it.
    for (const earlier of [...this.#inFlight.keys()]) this.#accept(earlier);
    return which;
  }

  onNack(nonce: string, error: ErrorDetail, time: number): Nack {
    const response = this.#inFlight.get(nonce);
    const message = truncateRefusal(error.message);
    const resources = parseRefusal(message, response?.names ?? []);
    const nack = { version: response?.version ?? "", nonce, time, code: error.code, message, resources };
    this.#nacked = nack;
    for (const { name } of resources) this.#refused.set(name, nack);
    if (this.which(nonce) === "current") this.#inFlight.clear();
    else this.#inFlight.delete(nonce);
    return nack;
  }

  /** Waits for no answer any longer: the client is taken to be one that does not answer. */
  forgetWaiting(): void {
    this.#givenUp = true;
  }

  /** The client no longer has this resource. */
  forgetResource(name: string): void {
    this.#refused.delete(name);
  }

  #accept(nonce: string): void {
    const response = this.#inFlight.get(nonce);
    this.#inFlight.delete(nonce);
    if (this.#refused.size > 0) for (const name of response?.names ?? []) this.#refused.delete(name);
  }
}
