import type { Cursor } from "../schema/cursor.ts";
import { dnsLabel, isDnsLabel } from "../schema/hosts.ts";
import { lists, maps, object, optional, withDefault } from "../schema/object.ts";
import { boolean, convert, describe, map, type Reader, string } from "../schema/reader.ts";
import { port } from "../schema/shared-readers.ts";
import { checkHeaderName, forbidEmptyMatch, labels, stringMatch } from "../schema/text-rules.ts";
import type { StringMatch } from "./common.ts";
import type { HttpMatch } from "./virtual-service.ts";

const CLAIM_KEY = /^@request\.auth\.claims[.[]/;

/** Whether a header condition looks into a validated token instead of the headers. */
export function isClaimKey(header: string): boolean {
  return CLAIM_KEY.test(header);
}

const conditionText: Reader<StringMatch> = checkedMatch(forbidEmptyMatch);

const uriText: Reader<StringMatch> = checkedMatch((match, at) => {
  if (match.type === "regex") forbidEmptyMatch(match, at);
});

/** `regex: "*"` is how presence was once written; Envoy never sees it. */
const absentHeaderText: Reader<StringMatch> = checkedMatch((match, at) => {
  if (match.type !== "regex" || match.value !== "*") forbidEmptyMatch(match, at);
});

function checkedMatch(check: (match: StringMatch, at: Cursor) => void): Reader<StringMatch> {
  return convert(stringMatch, (match, at) => {
    check(match, at);
    return match;
  });
}

function headerConditions(entry: Reader<StringMatch>): Reader<Readonly<Record<string, StringMatch>>> {
  const read = map(entry, {
    key: (key, at) => {
      if (!isClaimKey(key)) checkHeaderName(key, at);
    },
  });
  return convert(read, (conditions) => {
    const result = Object.create(null) as Record<string, StringMatch>;
    for (const [key, match] of Object.entries(conditions)) result[isClaimKey(key) ? key : key.toLowerCase()] = match;
    return Object.freeze(result);
  });
}

const NOTHING: Readonly<Record<string, never>> = Object.freeze(Object.create(null) as Record<string, never>);

/** `mesh`, `name`, `namespace/name` or `./name`. The dotted form of old releases is accepted with a warning. */
export function checkGatewayName(name: string, at: Cursor): void {
  if (name === "mesh") return;
  const [first = "", second, rest] = name.split("/");
  if (second === undefined && first.includes(".")) {
    at.warn("old-gateway-name", `${describe(name)} is the old way to name a gateway.`, "Write namespace/name.");
    return;
  }
  const namespaceFits = second === undefined || first === "." || isDnsLabel(first);
  if (rest === undefined && namespaceFits && isDnsLabel(second ?? first)) return;
  at.error("bad-gateway-name", `${describe(name)} names no gateway.`, "Write mesh, name or namespace/name.");
}

export const gatewayName: Reader<string> = convert(string, (name, at) => {
  checkGatewayName(name, at);
  return name;
});

/** An empty text counts as absent, as in Protobuf. */
export const optionalNamespace: Reader<string> = (value, at) => (value === "" ? "" : dnsLabel(value, at));

export const httpMatch: Reader<HttpMatch> = object({
  name: withDefault(string, ""),
  uri: optional(uriText),
  ignoreUriCase: withDefault(boolean, false),
  scheme: optional(conditionText),
  method: optional(conditionText),
  authority: optional(conditionText),
  headers: withDefault(headerConditions(conditionText), NOTHING),
  withoutHeaders: withDefault(headerConditions(absentHeaderText), NOTHING),
  queryParams: maps(conditionText),
  port: optional(port),
  sourceLabels: withDefault(labels, NOTHING),
  sourceNamespace: withDefault(optionalNamespace, ""),
  gateways: lists(gatewayName),
  statPrefix: withDefault(string, ""),
});
