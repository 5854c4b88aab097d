import type { Cursor } from "../schema/cursor.ts";
import { duration } from "../schema/duration.ts";
import { lists, object, optional, required, withDefault } from "../schema/object.ts";
import { convert, type Reader, string } from "../schema/reader.ts";
import { destination, percent, percentInt, weight } from "../schema/shared-readers.ts";
import { authorityWrites, headers } from "./headers-schema.ts";
import { httpMatch } from "./http-match-schema.ts";
import {
  corsPolicy,
  delegate,
  directResponse,
  fault,
  redirect,
  retries,
  rewrite,
} from "./http-route-actions-schema.ts";
import type { HttpMirror, HttpRoute, HttpRouteDestination } from "./virtual-service.ts";

const routeDestination: Reader<HttpRouteDestination> = object({
  destination: required(destination),
  weight: withDefault(weight, 0),
  headers: optional(headers),
});

const mirror: Reader<HttpMirror> = object({
  destination: required(destination),
  percentage: withDefault(percent, 100),
});

const writtenRoute = object({
  name: withDefault(string, ""),
  match: lists(httpMatch),
  route: lists(routeDestination),
  redirect: optional(redirect),
  directResponse: optional(directResponse),
  delegate: optional(delegate),
  rewrite: optional(rewrite),
  timeout: optional(duration()),
  retries: optional(retries),
  fault: optional(fault),
  mirror: optional(destination),
  mirrors: lists(mirror),
  mirrorPercentage: optional(percent),
  mirrorPercent: optional(percentInt),
  mirror_percent: optional(percentInt),
  corsPolicy: optional(corsPolicy),
  headers: optional(headers),
});

type WrittenRoute = NonNullable<ReturnType<typeof writtenRoute>>;

export const httpRoute: Reader<HttpRoute> = convert(writtenRoute, (written, at) => {
  checkAction(written, at);
  checkAuthority(written, at);
  checkWeights(written.route, at.at("route"));
  const { mirror: _, mirrors, mirrorPercentage, mirrorPercent, mirror_percent, ...route } = written;
  return Object.freeze({ ...route, mirrors: mirrorsOf(written, at) });
});

/** Exactly one of route, redirect, directResponse and delegate, and nothing that contradicts it (§8.4). */
function checkAction(route: WrittenRoute, at: Cursor): void {
  const forwards = route.route.length > 0;
  if (route.delegate !== undefined) {
    const other = forwards ? "route" : route.redirect !== undefined ? "redirect" : undefined;
    if (other !== undefined) exclude(at, "delegate", other);
    return;
  }
  if (!forwards && route.redirect === undefined && route.directResponse === undefined) {
    const message = "HTTP route, redirect or direct_response is required.";
    at.error("missing-action", message, "Add route with a destination, redirect or directResponse.");
  }
  for (const action of ["redirect", "directResponse"] as const) {
    if (route[action] === undefined) continue;
    if (forwards) exclude(at, action, "route");
    if (route.fault !== undefined) exclude(at, action, "fault");
    if (route.rewrite !== undefined) exclude(at, action, "rewrite");
  }
  if (route.redirect !== undefined && route.directResponse !== undefined) exclude(at, "redirect", "directResponse");
}

function exclude(at: Cursor, action: string, other: string): void {
  at.error("contradicting-actions", `${action} and ${other} can't stand in one route.`, "Keep one of them.");
}

function checkAuthority(route: WrittenRoute, at: Cursor): void {
  const level = (route.rewrite?.authority ? 1 : 0) + authorityWrites(route.headers);
  const deepest = Math.max(0, ...route.route.map((entry) => authorityWrites(entry.headers)));
  if (level <= 1 && deepest <= 1) return;
  at.error(
    "authority-set-twice",
    "The authority of the request is set more than once.",
    "Keep one place that sets it.",
  );
}

/** Weights of several destinations must not all be 0; a single one needs none. */
export function checkWeights(route: readonly { readonly weight: number }[], at: Cursor): void {
  if (route.length < 2 || route.some((entry) => entry.weight !== 0)) return;
  at.error("weights-are-zero", "total destination weight = 0.", "Give at least one destination a weight.");
}

function mirrorsOf(route: WrittenRoute, at: Cursor): readonly HttpMirror[] {
  const old = route.mirrorPercent ?? route.mirror_percent;
  if (old !== undefined) {
    const name = route.mirrorPercent === undefined ? "mirror_percent" : "mirrorPercent";
    at.at(name).warn("deprecated-field", `${name} is deprecated.`, "Write mirrorPercentage: {value: …}.");
  }
  if (route.mirror === undefined) return route.mirrors;
  if (route.mirrors.length > 0) {
    at.error("several-alternatives", "mirror and mirrors are set together.", "Keep mirrors.");
  }
  return Object.freeze([{ destination: route.mirror, percentage: route.mirrorPercentage ?? old ?? 100 }]);
}
