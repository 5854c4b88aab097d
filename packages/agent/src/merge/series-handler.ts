import type { AdminHandler } from "@mixerless/admin-server";
import { encodeBody } from "./content-coding.ts";
import type { MergedSeries } from "./merged-series.ts";

/** Answers a path of the status port with the merged series. */
export function seriesHandler(path: string, series: MergedSeries): AdminHandler {
  return {
    path,
    help: "series of agent, proxy and application",
    mutates: false,
    handle: async (query, { headers }) => {
      const { contentType, body } = await series.scrape(headers, query.has("usedonly") ? { usedOnly: true } : {});
      const encoding = headers["accept-encoding"];
      const coded = encodeBody(body, Array.isArray(encoding) ? encoding.join(",") : encoding);
      const coding = coded.coding === null ? {} : { "content-encoding": coded.coding };
      return { body: coded.body, contentType, headers: { vary: "Accept-Encoding", ...coding } };
    },
  };
}
