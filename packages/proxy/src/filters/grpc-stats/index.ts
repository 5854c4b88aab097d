import { FilterConfigSchema } from "@mixerless/wire/envoy/extensions/filters/http/grpc_stats/v3/config";
import { httpFilterType } from "../http-filter-type.ts";
import { GrpcStatsFilter } from "./filter.ts";

/** `envoy.filters.http.grpc_stats`, of which the counts in filter state are kept; it makes no series of its own. */
export const GRPC_STATS = httpFilterType(FilterConfigSchema, (message) => ({
  create: (stream) => (message.emitFilterState ? new GrpcStatsFilter(stream) : null),
}));
