import { isGrpcRequest } from "../../http/grpc.ts";
import type { HeaderMap } from "../../http/header-map.ts";
import { FilterStatus, HttpFilter } from "../../http/http-filter.ts";
import { MessageCounter } from "./message-counter.ts";

const STATE_KEY = "envoy.filters.http.grpc_stats";

/** What the filter leaves in filter state, by the field names of Envoy's object. Counts go on while the stream lives. */
class MessageCounts {
  readonly request = new MessageCounter();
  readonly response = new MessageCounter();
  request_message_count = 0;
  response_message_count = 0;
}

/** Counts the messages of gRPC streams, for whoever reads filter state. */
export class GrpcStatsFilter extends HttpFilter {
  #counts: MessageCounts | null = null;

  override decodeHeaders(headers: HeaderMap): number {
    if (isGrpcRequest(headers)) {
      this.#counts = new MessageCounts();
      this.stream.info.filterState.set(STATE_KEY, this.#counts);
    }
    return FilterStatus.Continue;
  }

  override decodeData(buffer: Buffer, start: number, end: number): number {
    const counts = this.#counts;
    if (counts !== null) {
      counts.request.add(buffer, start, end);
      counts.request_message_count = counts.request.count;
    }
    return FilterStatus.Continue;
  }

  override encodeData(buffer: Buffer, start: number, end: number): number {
    const counts = this.#counts;
    if (counts !== null) {
      counts.response.add(buffer, start, end);
      counts.response_message_count = counts.response.count;
    }
    return FilterStatus.Continue;
  }
}
