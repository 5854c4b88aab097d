import type { Cursor } from "../schema/cursor.ts";
import type { HttpMatch, HttpRoute } from "./virtual-service.ts";

const CURE = "Move it before the rule that hides it, make the earlier rule narrower, or remove it.";

interface Earlier {
  readonly match: HttpMatch;
  readonly text: string;
  readonly rule: number;
}

/** Rules and matches of later routes that earlier ones leave nothing for (§8.4). Only warnings. */
export function warnUnreachable(routes: readonly HttpRoute[], at: Cursor): void {
  const earlier: Earlier[] = [];
  let catchAll = false;
  routes.forEach((route, rule) => {
    const here = at.at(rule);
    const unused = (reason: string) =>
      here.warn("unreachable-rule", `virtualService rule #${rule} not used (${reason}).`, CURE);
    if (route.match.length === 0) {
      if (catchAll) unused("only the last rule can have no matches");
      catchAll = true;
      return;
    }
    const duplicates = warnMatches(route, rule, earlier, here);
    if (duplicates === route.match.length) unused("all matches used by prior rules");
    else if (catchAll) unused("route without matches defined before");
  });
}

function warnMatches(route: HttpRoute, rule: number, earlier: Earlier[], at: Cursor): number {
  let duplicates = 0;
  route.match.forEach((match, index) => {
    const text = JSON.stringify({ ...match, name: "" });
    const same = earlier.find((other) => other.text === text);
    const wider = same ?? earlier.find((other) => covers(other.match, match));
    if (same !== undefined) duplicates += 1;
    else earlier.push({ match, text, rule });
    if (wider === undefined) return;
    const how = same === undefined ? "overlapping" : "duplicate";
    const message = `virtualService rule #${rule} match #${index} is not used (${how} match in rule #${wider.rule}).`;
    at.at("match").at(index).warn("ineffective-match", message, CURE);
  });
  return duplicates;
}

/** Whether a URI prefix that was tried earlier takes everything that the later one asks for. */
function covers(earlier: HttpMatch, later: HttpMatch): boolean {
  if (earlier.uri?.type !== "prefix" || later.uri?.type !== "prefix") return false;
  if (!later.uri.value.startsWith(earlier.uri.value) || earlier.port !== later.port) return false;
  if (earlier.ignoreUriCase !== later.ignoreUriCase) return false;
  if (earlier.sourceNamespace !== "" && earlier.sourceNamespace !== later.sourceNamespace) return false;
  if (JSON.stringify(earlier.gateways) !== JSON.stringify(later.gateways)) return false;
  const single = (["scheme", "method", "authority"] as const).every(
    (field) => earlier[field] === undefined || JSON.stringify(earlier[field]) === JSON.stringify(later[field]),
  );
  const many = (["headers", "withoutHeaders", "queryParams", "sourceLabels"] as const).every((field) =>
    isSubset(earlier[field], later[field]),
  );
  return single && many;
}

function isSubset(part: Readonly<Record<string, unknown>>, whole: Readonly<Record<string, unknown>>): boolean {
  return Object.entries(part).every(([key, value]) => JSON.stringify(value) === JSON.stringify(whole[key]));
}
