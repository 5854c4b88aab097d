import { configName } from "./config-dump.ts";
import { at, listAt, textAt } from "./json.ts";

export const ROUTE_HEADER = ["NAME", "VHOST NAME", "DOMAINS", "MATCH", "VIRTUAL SERVICE"];

/** One row for each route, except those of unknown hosts; a virtual host that only answers 404 says so. */
export function routeRows(configs: readonly unknown[]): string[][] {
  return [...configs]
    .sort((a, b) => compareNames(textAt(a, "name"), textAt(b, "name")))
    .flatMap((config) =>
      listAt(config, "virtual_hosts").flatMap((host) => {
        const start = [textAt(config, "name"), textAt(host, "name"), domains(listAt(host, "domains").map(String))];
        return listAt(host, "routes")
          .filter((route) => !isForUnknownHosts(route))
          .map((route) => [...start, routeMatch(route), configName(route) || answer(route)]);
      }),
    );
}

/** Numbers as numbers, before names. */
function compareNames(a: string, b: string): number {
  const numeric = Number(a) - Number(b);
  return Number.isNaN(numeric) ? (a < b ? -1 : a > b ? 1 : 0) : numeric;
}

function isForUnknownHosts(route: unknown): boolean {
  return ["PassthroughCluster", "BlackHoleCluster"].includes(textAt(route, "route", "cluster"));
}

function answer(route: unknown): string {
  return textAt(route, "direct_response", "status");
}

/** `prefix*`, `PathPrefix:p`, an exact path or `regex r`. */
export function routeMatch(route: unknown): string {
  const match = at(route, "match");
  const prefix = textAt(match, "prefix");
  if (prefix !== "") return `${prefix}*`;
  const separated = textAt(match, "path_separated_prefix");
  if (separated !== "") return `PathPrefix:${separated}`;
  const exact = textAt(match, "path");
  if (exact !== "") return exact;
  const regex = textAt(match, "safe_regex", "regex");
  return regex === "" ? "" : `regex ${regex}`;
}

/** The two shortest names without a port, and how many more there are. */
function domains(all: readonly string[]): string {
  const bare = all.filter((domain) => !/:\d+$|:\*$/.test(domain));
  const names = [...(bare.length > 0 ? bare : all)].sort((a, b) => a.length - b.length);
  const more = names.length - 2;
  return names.slice(0, 2).join(", ") + (more > 0 ? ` + ${more} more...` : "");
}
