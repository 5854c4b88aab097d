import type { AttributeFamily, AttributeReader, AttributeTable } from "./attribute.ts";
import { CONNECTION, DESTINATION, SOURCE, UPSTREAM } from "./connection.ts";
import { REQUEST } from "./request.ts";
import { RESPONSE } from "./response.ts";
import { bareState, DYNAMIC_METADATA, FILTER_STATE } from "./state.ts";
import { XDS } from "./xds.ts";

/** Names that stand alone; the last is the older form of `connection.id`. */
const SINGLE: Readonly<Record<string, AttributeReader>> = {
  plugin_name: ({ scope }) => scope.pluginName,
  plugin_root_id: ({ scope }) => scope.pluginName,
  plugin_vm_id: () => "",
  connection_id: ({ info }) => info?.downstream.id,
};

const FAMILIES: AttributeTable = {
  request: REQUEST,
  response: RESPONSE,
  source: SOURCE,
  destination: DESTINATION,
  connection: CONNECTION,
  upstream: UPSTREAM,
  xds: XDS,
  metadata: DYNAMIC_METADATA,
  filter_state: FILTER_STATE,
  upstream_filter_state: () => null,
};

const ABSENT: AttributeReader = () => null;

/** The reader of an attribute path [telemetry §3.2]. A path that names nothing reads as absent. */
export function resolveAttribute(path: readonly string[]): AttributeReader {
  const [root = ""] = path;
  if (Object.hasOwn(FAMILIES, root)) {
    const family: AttributeFamily | undefined = FAMILIES[root];
    return family?.(path.slice(1)) ?? ABSENT;
  }
  if (path.length === 1 && Object.hasOwn(SINGLE, root)) return SINGLE[root] ?? ABSENT;
  return XDS(path) ?? bareState(path);
}
