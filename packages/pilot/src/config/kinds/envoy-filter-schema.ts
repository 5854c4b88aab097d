// EnvoyFilter (§8.8). Values are read into the message of their applyTo by envoy-filter-value.ts.
import type { Cursor } from "../schema/cursor.ts";
import { lists, maps, object, optional, withDefault } from "../schema/object.ts";
import {
  checked,
  convert,
  describe,
  int32,
  jsonObject,
  list,
  oneOf,
  type Reader,
  string,
  uint32,
} from "../schema/reader.ts";
import { attachment, labelsSelector, port, targetRef } from "../schema/shared-readers.ts";
import { regexProblem } from "../schema/text-rules.ts";
import { checkEffect, checkFilterName } from "./envoy-filter-effect.ts";
import { patchMessage } from "./envoy-filter-value.ts";
import { CONNECTION_MANAGER } from "./filter-names.ts";
import type { EnvoyFilterPatch, EnvoyFilterSpec, ListenerMatch } from "./policies.ts";

const named = object({ name: withDefault(string, "") });
const portNumber = optional(uint32);
const text = withDefault(string, "");

const listenerMatch = object({
  portNumber,
  portName: text,
  name: text,
  listenerFilter: text,
  filterChain: optional(
    object({
      name: text,
      sni: text,
      transportProtocol: text,
      applicationProtocols: text,
      destinationPort: portNumber,
      filter: optional(object({ name: text, subFilter: optional(named) })),
    }),
  ),
});

const routeMatch = object({
  name: text,
  action: withDefault(oneOf("ANY", "ROUTE", "REDIRECT", "DIRECT_RESPONSE"), "ANY"),
});

const waypointMatch = checked(jsonObject, (value, at) => {
  object({
    portNumber: optional(port),
    filter: optional(object({ name: text, subFilter: optional(named) })),
    route: optional(named),
  })(value, at);
});

const ALTERNATIVES = ["listener", "routeConfiguration", "cluster", "waypoint"] as const;

const matchFields = object({
  context: withDefault(oneOf("ANY", "SIDECAR_INBOUND", "SIDECAR_OUTBOUND", "GATEWAY", "WAYPOINT"), "ANY"),
  proxy: optional(object({ proxyVersion: text, metadata: maps(string) })),
  listener: optional(listenerMatch),
  routeConfiguration: optional(
    object({
      portNumber,
      portName: text,
      gateway: text,
      name: text,
      vhost: optional(object({ name: text, domainName: text, route: optional(routeMatch) })),
    }),
  ),
  cluster: optional(object({ portNumber, service: text, subset: text, name: text })),
  waypoint: optional(waypointMatch),
});

const match = checked(matchFields, (read, at) => {
  const kinds = ALTERNATIVES.filter((kind) => read[kind] !== undefined);
  if (kinds.length < 2) return;
  at.error("several-alternatives", `${kinds.join(" and ")} are set together.`, "Keep one of them.");
});

const patch = object({
  operation: withDefault(
    oneOf("INVALID", "MERGE", "ADD", "REMOVE", "INSERT_BEFORE", "INSERT_AFTER", "INSERT_FIRST", "REPLACE"),
    "INVALID",
  ),
  filterClass: withDefault(oneOf("UNSPECIFIED", "AUTHN", "AUTHZ", "STATS"), "UNSPECIFIED"),
  value: optional(jsonObject),
});

const APPLY_TO = [
  "INVALID",
  "LISTENER",
  "FILTER_CHAIN",
  "NETWORK_FILTER",
  "HTTP_FILTER",
  "ROUTE_CONFIGURATION",
  "VIRTUAL_HOST",
  "HTTP_ROUTE",
  "CLUSTER",
  "EXTENSION_CONFIG",
  "BOOTSTRAP",
  "LISTENER_FILTER",
] as const;

const configPatch: Reader<EnvoyFilterPatch> = convert(
  object({ applyTo: withDefault(oneOf(...APPLY_TO), "INVALID"), match: optional(match), patch: optional(patch) }),
  ({ applyTo, match, patch }, at) => {
    if (patch === undefined) {
      at.error("missing-field", "Envoy filter: missing patch.", "Add patch with operation and value.");
      return undefined;
    }
    const read = Object.freeze({ applyTo, match: match ?? Object.freeze({ context: "ANY" as const }), patch });
    // Upstream leaves patches for waypoints alone.
    checkWaypoint(read, at.at("match"));
    if (read.match.context === "WAYPOINT") return read;
    checkPatch(read, at);
    const { value } = read.patch;
    const message = value === undefined ? undefined : patchMessage(applyTo, value, at.at("patch").at("value"));
    return message === undefined ? read : Object.freeze({ ...read, message });
  },
);

const OPERATIONS = "MERGE, ADD, REMOVE, INSERT_BEFORE, INSERT_AFTER, INSERT_FIRST or REPLACE";

function checkPatch(read: EnvoyFilterPatch, at: Cursor): void {
  const { applyTo, match, patch } = read;
  if (applyTo === "INVALID")
    at.error("missing-field", "Envoy filter: missing applyTo.", "Say what the patch applies to.");
  if (patch.operation === "INVALID") {
    at.at("patch").error("missing-field", "Envoy filter: missing patch operation.", `Set operation to ${OPERATIONS}.`);
  } else if (patch.operation !== "REMOVE" && patch.value === undefined) {
    at.at("patch").error("missing-field", "Envoy filter: missing patch value for non-remove operation.", "Add value.");
  }
  const version = match.proxy?.proxyVersion ?? "";
  const problem = version === "" ? undefined : regexProblem(version);
  if (problem !== undefined) {
    const here = at.at("match").at("proxy").at("proxyVersion");
    here.error("bad-regex", `The expression ${describe(version)} ${problem}`, "Use RE2 syntax.");
  }
  checkMatchClass(read, at.at("match"));
  checkEffect(read, at);
  if (match.listener !== undefined) checkListenerMatch(applyTo, match.listener, at.at("match").at("listener"));
}

const LISTENER_CLASS = ["LISTENER", "FILTER_CHAIN", "NETWORK_FILTER", "HTTP_FILTER"];
const ROUTE_CLASS = ["ROUTE_CONFIGURATION", "VIRTUAL_HOST", "HTTP_ROUTE"];

function checkMatchClass({ applyTo, match }: EnvoyFilterPatch, at: Cursor): void {
  const kind = ALTERNATIVES.find((name) => match[name] !== undefined);
  const refuse = (wanted: string, what: string) => {
    if (kind === undefined || kind === wanted) return;
    at.error("bad-match", `applyTo for ${what} class objects cannot have non ${what} match.`, `Match by ${wanted}.`);
  };
  if (LISTENER_CLASS.includes(applyTo)) refuse("listener", "listener");
  if (ROUTE_CLASS.includes(applyTo)) refuse("routeConfiguration", "http route");
  if (applyTo === "CLUSTER") refuse("cluster", "cluster");
}

const CONNECTION_MANAGERS = [CONNECTION_MANAGER, "envoy.http_connection_manager"];

function checkListenerMatch(applyTo: EnvoyFilterPatch["applyTo"], listener: ListenerMatch, at: Cursor): void {
  const filter = listener.filterChain?.filter;
  if (filter === undefined) return;
  const here = at.at("filterChain").at("filter");
  checkFilterName(filter.name, here);
  if (filter.subFilter !== undefined) checkFilterName(filter.subFilter.name, here.at("subFilter"));
  if (filter.name === "") {
    here.error("missing-field", "Envoy filter: filter match has no name to match on.", "Add name.");
  } else if (applyTo === "LISTENER" || applyTo === "FILTER_CHAIN") {
    here.warn("match-unused", `A filter match has no effect with applyTo ${applyTo}.`, "Remove it.");
  }
  if (filter.subFilter === undefined) return;
  const sub = here.at("subFilter");
  if (applyTo !== "HTTP_FILTER")
    sub.error("bad-match", "subFilter match can be used with applyTo HTTP_FILTER only.", "Remove it.");
  else if (!CONNECTION_MANAGERS.includes(filter.name)) {
    sub.error(
      "bad-match",
      "subFilter match requires the filter to be the HTTP connection manager.",
      `Set filter.name to ${CONNECTION_MANAGERS[0]}.`,
    );
  }
  if (filter.subFilter.name === "")
    sub.error("missing-field", "Envoy filter: subFilter match has no name to match on.", "Add name.");
}

function checkWaypoint({ match }: EnvoyFilterPatch, at: Cursor): void {
  if ((match.context === "WAYPOINT") === (match.waypoint !== undefined)) return;
  at.error("bad-match", "only support waypointMatch when context is WAYPOINT.", "Make context and match agree.");
}

export const envoyFilter: Reader<EnvoyFilterSpec> = convert(
  object({
    priority: withDefault(int32, 0),
    workloadSelector: optional(labelsSelector),
    targetRefs: optional(list(targetRef, { max: 16 })),
    configPatches: lists(configPatch),
  }),
  ({ priority, workloadSelector, targetRefs, configPatches }, at) => {
    const selector = workloadSelector === undefined ? {} : { selector: workloadSelector };
    return Object.freeze({ priority, configPatches, ...attachment({ ...selector, targetRefs }, at) });
  },
);
