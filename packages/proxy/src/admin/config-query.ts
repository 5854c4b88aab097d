import { create, type JsonObject, type JsonValue } from "@bufbuild/protobuf";
import type { AdminAnswer } from "@mixerless/admin-server";
import { compileRegexMatcher } from "@mixerless/matchers";
import { RegexMatcherSchema } from "@mixerless/wire/envoy/type/matcher/v3/regex";
import { redact } from "./redact.ts";

const ADMIN = "type.googleapis.com/envoy.admin.v3.";

/** Where each list stands that `resource=` may name, and the type of its entries. */
const LISTS: Readonly<Record<string, readonly [section: string, entry: string]>> = {
  static_clusters: ["ClustersConfigDump", "StaticCluster"],
  dynamic_active_clusters: ["ClustersConfigDump", "DynamicCluster"],
  dynamic_warming_clusters: ["ClustersConfigDump", "DynamicCluster"],
  static_listeners: ["ListenersConfigDump", "StaticListener"],
  dynamic_listeners: ["ListenersConfigDump", "DynamicListener"],
  static_route_configs: ["RoutesConfigDump", "StaticRouteConfig"],
  dynamic_route_configs: ["RoutesConfigDump", "DynamicRouteConfig"],
  ecds_filters: ["EcdsConfigDump", "EcdsFilterConfig"],
  dynamic_endpoint_configs: ["EndpointsConfigDump", "DynamicEndpointConfig"],
};

/** The fields of an entry that may hold the resource, and of the resource that may hold its name. */
const RESOURCES = ["cluster", "listener", "route_config", "endpoint_config", "ecds_filter"];
const NAMES = ["name", "cluster_name"];

/**
 * Answers `/config_dump` as Envoy does: `resource=` gives the entries of one list, `mask=` keeps some fields,
 * `name_regex=` (RE2, the whole name) keeps some entries, `include_eds` adds the endpoints. Secrets never appear.
 */
export function answerConfigDump(
  sections: Readonly<Record<string, () => JsonObject>>,
  query: URLSearchParams,
): AdminAnswer {
  const faults: { message: string }[] = [];
  const pattern = query.get("name_regex");
  const wanted =
    pattern === null || pattern === ""
      ? () => true
      : compileRegexMatcher(create(RegexMatcherSchema, { regex: pattern }), "name_regex", faults as never[]);
  if (faults.length > 0) return { status: 400, body: `Error while parsing name_regex: ${faults[0]?.message}\n` };
  const mask = (query.get("mask") ?? "").split(",").filter((path) => path !== "");
  const resource = query.get("resource");
  const configs =
    resource === null ? whole(sections, query.has("include_eds"), wanted) : list(sections, resource, wanted);
  if (typeof configs === "string") return { status: resource === "bootstrap" ? 400 : 404, body: `${configs}\n` };
  const shown = configs.map((entry) => redact(mask.length === 0 ? entry : masked(entry, mask)));
  return { body: `${JSON.stringify({ configs: shown }, null, 1)}\n`, contentType: "application/json" };
}

function whole(
  sections: Readonly<Record<string, () => JsonObject>>,
  withEndpoints: boolean,
  wanted: (name: string) => boolean,
): JsonObject[] {
  return Object.entries(sections)
    .filter(([name]) => withEndpoints || name !== "EndpointsConfigDump")
    .map(([name, make]) => {
      const section: JsonObject = { "@type": ADMIN + name };
      for (const [key, value] of Object.entries(make())) {
        section[key] = Array.isArray(value) ? value.filter((entry) => wanted(nameOf(entry))) : value;
      }
      return section;
    });
}

function list(
  sections: Readonly<Record<string, () => JsonObject>>,
  resource: string,
  wanted: (name: string) => boolean,
): JsonObject[] | string {
  if (resource === "bootstrap") return "bootstrap is not a repeated field. Use ?mask=bootstrap to get only this field";
  const [section = "", type = ""] = Object.hasOwn(LISTS, resource) ? (LISTS[resource] ?? []) : [];
  const entries = sections[section]?.()[resource];
  if (!Array.isArray(entries)) return `${resource} not found in config dump; try ${Object.keys(LISTS).join(", ")}`;
  return entries
    .filter((entry) => wanted(nameOf(entry)))
    .map((entry) => ({ "@type": `${ADMIN}${section}.${type}`, ...(entry as JsonObject) }));
}

function nameOf(entry: JsonValue | undefined): string {
  if (!isObject(entry)) return "";
  if (typeof entry.name === "string") return entry.name;
  for (const key of RESOURCES) {
    const resource = entry[key];
    if (!isObject(resource)) continue;
    for (const name of NAMES) if (typeof resource[name] === "string") return resource[name];
  }
  return "";
}

/** What the paths of a field mask select; `a.b` reaches into messages, not into lists, as in Envoy. */
function masked(value: JsonObject, paths: readonly string[]): JsonObject {
  const result: JsonObject = {};
  for (const [key, field] of Object.entries(value)) {
    const below = paths.filter((path) => path === key || path.startsWith(`${key}.`));
    if (key === "@type") result[key] = field;
    else if (below.includes(key)) result[key] = field;
    else if (below.length > 0 && isObject(field)) {
      result[key] = masked(
        field,
        below.map((path) => path.slice(key.length + 1)),
      );
    }
  }
  return result;
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
