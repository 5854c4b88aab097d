import type { Clock } from "@mixerless/clock";
import type { TokenSource } from "../credentials/token-source.ts";
import { type CloudTransport, GrpcCode, isTransient } from "./cloud-transport.ts";

/** Milliseconds of one call, as upstream's. */
const TIMEOUT = 10_000;
/** Milliseconds between two log lines about the same kind of call. */
const LOG_INTERVAL = 60_000;

export interface CallerOptions {
  readonly clock: Clock;
  readonly transport: CloudTransport;
  readonly tokens: TokenSource | null;
  /** What is exported, for the log: `metrics`, `log entries`. */
  readonly what: string;
  readonly path: string;
  readonly warn: (message: string) => void;
  /** Told of each call. */
  readonly onCall: (success: boolean) => void;
}

/** One method of a service, with the token that it asks for. */
export class CloudCaller {
  readonly #options: CallerOptions;
  #lastLog = Number.NEGATIVE_INFINITY;

  constructor(options: CallerOptions) {
    this.#options = options;
  }

  async call(message: Uint8Array): Promise<"sent" | "again" | "refused"> {
    const { transport, tokens, path, onCall } = this.#options;
    const token = await (tokens?.get() ?? null);
    if (token !== null && typeof token === "object") {
      onCall(false);
      this.#complain(token.fault);
      return "again";
    }
    const { code, message: details } = await transport.call(path, message, token, TIMEOUT);
    onCall(code === GrpcCode.Ok);
    if (code === GrpcCode.Ok) return "sent";
    if (code === GrpcCode.Unauthenticated) tokens?.invalidate();
    this.#complain(`the endpoint says ${code}: ${details.slice(0, 200)}`);
    return isTransient(code) ? "again" : "refused";
  }

  #complain(reason: string): void {
    const now = this.#options.clock.monotonic();
    if (now - this.#lastLog < LOG_INTERVAL) return;
    this.#lastLog = now;
    this.#options.warn(`${this.#options.what} can't be exported now: ${reason}`);
  }
}
