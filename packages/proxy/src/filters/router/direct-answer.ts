import type { HeaderMap } from "../../http/header-map.ts";
import { H } from "../../http/header-name.ts";
import type { FilterStream } from "../../http/http-filter.ts";
import { ResponseFlag } from "../../stream/response-flags.ts";
import type { RouterStats } from "./stats.ts";

/** Answers requests that lead nowhere: no route, a direct response, a redirect, an unknown cluster. */
export function answerWithoutUpstream(stream: FilterStream, headers: HeaderMap, stats: RouterStats): void {
  const { route, info } = stream;
  if (route === null) {
    stats.noRoute.add(1);
    stream.sendLocalReply({ status: 404, body: "", details: "route_not_found", flags: ResponseFlag.NoRouteFound });
    return;
  }
  const { action } = route;
  const finalize = (response: HeaderMap) => route.finalizeResponseHeaders(response, info);
  switch (action.kind) {
    case "direct-response":
      stats.directResponses.add(1);
      stream.sendLocalReply({
        status: action.status,
        body: action.body,
        details: "direct_response",
        flags: 0,
        edit: finalize,
      });
      return;
    case "redirect": {
      stats.redirects.add(1);
      const location = action.location(headers);
      const edit = (response: HeaderMap) => {
        response.set(H.location, location);
        finalize(response);
      };
      stream.sendLocalReply({ status: action.status, body: "", details: "direct_response", flags: 0, edit });
      return;
    }
    case "forward":
      stats.noCluster.add(1);
      stream.sendLocalReply({
        status: action.clusterNotFoundStatus,
        body: "",
        details: "cluster_not_found",
        flags: ResponseFlag.NoClusterFound,
        edit: finalize,
      });
  }
}
