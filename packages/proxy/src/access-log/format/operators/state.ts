import type { StreamInfo } from "../../../stream/stream-info.ts";
import type { Operator, OperatorTable, OperatorValue } from "../operator.ts";

type Metadata = (info: StreamInfo) => Readonly<Record<string, unknown>> | null | undefined;

const SOURCES: Readonly<Record<string, Metadata>> = {
  DYNAMIC: (info) => info.dynamicMetadata,
  CLUSTER: (info) => info.cluster?.metadata,
  ROUTE: (info) => info.route?.metadata,
  VIRTUAL_HOST: (info) => info.route?.virtualHostMetadata,
  UPSTREAM_HOST: (info) => info.upstreamHost?.metadata,
  LISTENER: (info) => info.listener.metadata,
};

/** Metadata and filter state. The arguments are `namespace:key:key…`. */
export const STATE_OPERATORS: OperatorTable = {
  DYNAMIC_METADATA: (args) => metadata("DYNAMIC", args),
  CLUSTER_METADATA: (args) => metadata("CLUSTER", args),
  UPSTREAM_METADATA: (args) => metadata("UPSTREAM_HOST", args),
  METADATA: (args) => {
    const colon = (args ?? "").indexOf(":");
    return colon < 0 ? "takes TYPE:NAMESPACE" : metadata((args ?? "").slice(0, colon), (args ?? "").slice(colon + 1));
  },
  FILTER_STATE: filterState,
  UPSTREAM_FILTER_STATE: () => () => null,
};

function metadata(source: string, args: string | null): Operator | string {
  const read = SOURCES[source];
  if (read === undefined) return `${source} is not one of ${Object.keys(SOURCES).join(", ")}`;
  if (args === null || args === "") return "needs a metadata namespace";
  const path = args.split(":");
  return (info) => printable(descend(read(info), path));
}

function filterState(args: string | null): Operator | string {
  const [key = "", form = "TYPED", field] = (args ?? "").split(":");
  if (key === "") return "needs the key of a filter state";
  if (form === "FIELD") {
    if (field === undefined) return "FIELD needs a field name";
    return (info) => printable(descend(info.filterState.get(key), [field]));
  }
  if (form !== "PLAIN" && form !== "TYPED") return "takes PLAIN, TYPED or FIELD";
  return (info) => printable(info.filterState.get(key));
}

function descend(from: unknown, path: readonly string[]): unknown {
  let value = from;
  for (const key of path) {
    if (value === null || typeof value !== "object" || !Object.hasOwn(value, key)) return null;
    value = (value as Record<string, unknown>)[key];
  }
  return value;
}

function printable(value: unknown): OperatorValue {
  if (value === undefined || value === null) return null;
  if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") return value;
  return typeof value === "object" ? value : String(value);
}
