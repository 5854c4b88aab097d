import type { FilterChainContext } from "../../network/context.ts";
import type { FilterState } from "../../stream/filter-state.ts";
import type { ListenerFacts, StreamInfo } from "../../stream/stream-info.ts";
import type { DateHeader } from "./response-headers.ts";
import type { HttpConnectionManagerStats } from "./stats.ts";
import type { StreamIdleWatch } from "./stream-idle-watch.ts";

/** What a stream needs of its connection. */
export interface StreamOwner {
  readonly context: FilterChainContext;
  readonly listener: ListenerFacts;
  readonly stats: HttpConnectionManagerStats;
  readonly filterState: FilterState;
  readonly date: DateHeader;
  readonly idleWatch: StreamIdleWatch;
  /** True while the connection drains: the next response is its last. */
  readonly closesAfterResponse: boolean;
  streamEnded(info: StreamInfo): void;
}
