import type { OutgoingHttpHeaders } from "node:http";
import { type Client, parseJson, type Reply } from "./client.ts";
import type { Endpoint } from "./environment.ts";
import type { RequestCounter } from "./request-counter.ts";

/** The outcome of a call: the other service's status and body, or 500 and `{ error }`. */
export interface Outcome {
  status: number;
  body: unknown;
}

/** The services that productpage asks. */
export interface Endpoints {
  details: Endpoint;
  reviews: Endpoint;
  ratings: Endpoint;
}

export type Destination = keyof Endpoints;

/** Asks the other services about one product. */
export interface BookClient {
  ask(destination: Destination, id: string, headers: OutgoingHttpHeaders): Promise<Outcome>;
  /** Asks for reviews `count` times at once and forgets the answers: load for its own sake. */
  flood(count: number, id: string, headers: OutgoingHttpHeaders): Promise<void>;
}

/** How often each is asked. Reviews twice on purpose: a timeout there then costs the page 6 s, not 3. */
const tries: Record<Destination, number> = { details: 1, reviews: 2, ratings: 1 };

const sorry: Record<Destination, string> = {
  details: "The facts about this book can't be shown: the details service gave no answer that helps.",
  reviews: "Nobody's opinion can be shown: the reviews service gave no answer that helps.",
  ratings: "No stars can be shown: the ratings service gave no answer that helps.",
};

/** `timeout` is per try, in milliseconds. `counter` counts a call once, however often it was tried. */
export function createBookClient(
  client: Client,
  endpoints: Endpoints,
  timeout: number,
  counter: RequestCounter,
): BookClient {
  const get = (destination: Destination, id: string, headers: OutgoingHttpHeaders) =>
    client.get(endpoints[destination], `/${destination}/${encodeURIComponent(id)}`, headers, timeout);

  return {
    async ask(destination, id, headers) {
      let reply: Reply | undefined;
      for (let round = 0; round < tries[destination] && reply?.status !== 200; round++) {
        reply = await get(destination, id, headers);
      }
      const outcome = outcomeOf(reply, sorry[destination]);
      counter.increment(destination, outcome.status);
      return outcome;
    },
    async flood(count, id, headers) {
      await Promise.all(Array.from({ length: count }, () => get("reviews", id, headers)));
    },
  };
}

function outcomeOf(reply: Reply | undefined, error: string): Outcome {
  if (reply?.status !== 200) return { status: reply?.status ?? 500, body: { error } };
  const body = parseJson(reply.body);
  return body === undefined ? { status: 500, body: { error } } : { status: 200, body };
}
