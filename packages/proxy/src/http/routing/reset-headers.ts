import {
  RetryPolicy_ResetHeaderFormat as Format,
  type RetryPolicy,
} from "@mixerless/wire/envoy/config/route/v3/route_components";
import type { HeaderMap } from "../header-map.ts";
import { HeaderName } from "../header-name.ts";
import { milliseconds } from "./duration.ts";

const LONGEST = 300_000;

/** Where a response may say when its client should come back (`rate_limited_retry_back_off`). */
export class ResetHeaders {
  readonly #headers: readonly { readonly name: HeaderName; readonly timestamp: boolean }[];
  readonly #longest: number;

  constructor(headers: readonly { readonly name: HeaderName; readonly timestamp: boolean }[], longest: number) {
    this.#headers = headers;
    this.#longest = longest;
  }

  /** Milliseconds from `now` on, by the first header that names a time ahead and not beyond the longest; else null. */
  interval(response: HeaderMap, now: number): number | null {
    for (const { name, timestamp } of this.#headers) {
      const value = response.getInteger(name);
      if (value < 0) continue;
      const interval = timestamp ? value * 1000 - now : value * 1000;
      if (interval > 0 && interval <= this.#longest) return interval;
    }
    return null;
  }
}

export function compileResetHeaders({ rateLimitedRetryBackOff: config }: RetryPolicy): ResetHeaders | null {
  if (config === undefined) return null;
  const headers = config.resetHeaders.map(({ name, format }) => ({
    name: HeaderName.of(name),
    timestamp: format === Format.UNIX_TIMESTAMP,
  }));
  return new ResetHeaders(headers, milliseconds(config.maxInterval) ?? LONGEST);
}
