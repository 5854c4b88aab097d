import type { Clock } from "@mixerless/clock";
import { EnvoyHeader } from "../envoy-header-name.ts";
import type { HeaderMap } from "../header-map.ts";
import { H } from "../header-name.ts";
import type { ResponseHeaderOptions } from "./manager-config.ts";

/** Gives the `date` of now. Its text is made once a second. */
export class DateHeader {
  readonly #clock: Clock;
  #second = Number.NaN;
  #text = "";

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get value(): string {
    const second = Math.floor(this.#clock.now() / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#text = new Date(second * 1000).toUTCString();
    }
    return this.#text;
  }
}

/** What the proxy adds to every final response. */
export function prepareResponseHeaders(
  headers: HeaderMap,
  requestHeaders: HeaderMap | null,
  options: ResponseHeaderOptions,
  date: DateHeader,
): void {
  if (!headers.has(H.date)) headers.set(H.date, date.value);
  if (options.serverHeader === "overwrite" || (options.serverHeader === "append-if-absent" && !headers.has(H.server))) {
    headers.set(H.server, options.serverName);
  }
  if (options.via !== "") headers.add(EnvoyHeader.via, options.via);
  if (!options.alwaysSetRequestId) return;
  const id = requestHeaders?.get(H.xRequestId) ?? null;
  if (id !== null) headers.set(H.xRequestId, id);
}
