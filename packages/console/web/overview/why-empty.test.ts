import { describe, expect, it } from "vitest";
import type { TrafficPage } from "../../src/api.ts";
import { whyEmpty } from "./why-empty.ts";

const page = (changes: Partial<TrafficPage>): TrafficPage => ({
  ...{ seconds: 60, edges: [], workloads: [], refused: 0, problem: null },
  proxies: [{ name: "a.default", problem: null, samples: 10, bytes: 1 }],
  ...changes,
});

describe("an empty picture names the first broken link", () => {
  it.each([
    ["no proxy is connected", page({ proxies: [], seconds: 0 }), "emptyNoProxy"],
    ["only one look so far", page({ seconds: 0 }), "emptyFirst"],
    [
      "no proxy has a series of Istio's",
      page({ proxies: [{ name: "a.default", problem: null, samples: 0, bytes: 1 }] }),
      "emptyNoSeries",
    ],
    ["nothing was sent in the window", page({}), "emptyNoTraffic"],
  ])("%s", (_, of, what) => {
    expect(whyEmpty(of)?.what).toBe(what);
  });
});
