import type { TrafficPage } from "../../src/api.ts";
import type { TextKey } from "../text/en.ts";

/** Why nothing is to be seen, and the way out. */
export interface Cause {
  readonly what: TextKey;
  readonly cure: TextKey | null;
}

/** The first link of the chain that is broken, from the proxy to the picture; null when there is something to see. */
export function whyEmpty({ edges, proxies, seconds }: TrafficPage): Cause | null {
  if (edges.length > 0) return null;
  if (proxies.length === 0) return { what: "emptyNoProxy", cure: "emptyNoProxyCure" };
  if (seconds === 0) return { what: "emptyFirst", cure: null };
  if (proxies.every(({ samples }) => samples === 0)) return { what: "emptyNoSeries", cure: "emptyNoSeriesCure" };
  return { what: "emptyNoTraffic", cure: "emptyNoTrafficCure" };
}
