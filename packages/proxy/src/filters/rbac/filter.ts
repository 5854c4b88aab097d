import type { HeaderMap } from "../../http/header-map.ts";
import { FilterStatus, type FilterStream, HttpFilter } from "../../http/http-filter.ts";
import type { RbacConfig } from "./config.ts";
import { decide, deniedDetails } from "./decide.ts";
import { StreamFacts } from "./facts.ts";
import type { RbacStats } from "./stats.ts";

/** Lets a request pass or answers 403, by the rules of its action. */
export class RbacFilter extends HttpFilter {
  readonly #config: RbacConfig;
  readonly #stats: RbacStats;

  constructor(stream: FilterStream, config: RbacConfig, stats: RbacStats) {
    super(stream);
    this.#config = config;
    this.#stats = stats;
  }

  override decodeHeaders(headers: HeaderMap): number {
    const { info } = this.stream;
    const decision = decide(this.#config, new StreamFacts(info, headers), info, this.#stats, "envoy.filters.http.rbac");
    if (decision === null || decision.allowed) return FilterStatus.Continue;
    this.stream.sendLocalReply({
      status: 403,
      body: "RBAC: access denied",
      details: deniedDetails(decision),
      flags: 0,
    });
    return FilterStatus.Stop;
  }
}
