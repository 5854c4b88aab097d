import type { DescMessage, JsonObject, MessageShape } from "@bufbuild/protobuf";
import { decodeJson, toJson } from "@mixerless/wire";
import { type Listener, ListenerSchema } from "@mixerless/wire/envoy/config/listener/v3/listener";
import { read } from "../../config/testing/verdicts.ts";
import { PatchSet, patchesIn } from "../applicable-patches.ts";
import type { GenerationContext, Patch, Patching, PatchLog } from "../patch.ts";
import { patchListener } from "../patch-listener.ts";

const TYPE = "type.googleapis.com/";
export const MANAGER = "envoy.filters.network.http_connection_manager";
const MANAGER_TYPE = `${TYPE}envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager`;

/** Remembers what it was told. */
export class Witness implements PatchLog {
  readonly hits: string[] = [];
  readonly misses: { readonly depth: number; readonly text: string }[] = [];
  readonly problems: string[] = [];

  hit(_: Patch, element: string): void {
    this.hits.push(element);
  }

  miss(_: Patch, { depth, text }: Parameters<PatchLog["miss"]>[1]): void {
    this.misses.push({ depth, text: text() });
  }

  problem(_: Patch, message: string): void {
    this.problems.push(message);
  }
}

/** The patches of an EnvoyFilter whose `configPatches` are these, in short: [applyTo, match, operation, value]. */
export type ShortPatch = readonly [applyTo: string, match: JsonObject | null, operation: string, value?: JsonObject];

export function patching(context: GenerationContext, patches: readonly ShortPatch[], log = new Witness()): Patching {
  const configPatches = patches.map(([applyTo, match, operation, value]) => ({
    applyTo,
    ...(match === null ? {} : { match }),
    patch: { operation, ...(value === undefined ? {} : { value }) },
  }));
  const config = read("EnvoyFilter", JSON.stringify({ configPatches }));
  return { context, patches: new PatchSet(patchesIn(config)), log };
}

export function message<D extends DescMessage>(schema: D, json: JsonObject): MessageShape<D> {
  const decoded = decodeJson(schema, json);
  if (decoded.faults !== undefined) throw new Error(JSON.stringify(decoded.faults));
  return decoded.message;
}

export function asJson<D extends DescMessage>(schema: D, value: MessageShape<D>): JsonObject {
  return toJson(schema, value, { declaredNames: true }) as JsonObject;
}

/** A filter of a type that needs no fields. */
export function filter(name: string, type = "envoy.extensions.filters.http.cors.v3.Cors"): JsonObject {
  return { name, typed_config: { "@type": TYPE + type } };
}

export function manager(filters: readonly string[], more: JsonObject = {}): JsonObject {
  return {
    name: MANAGER,
    typed_config: {
      "@type": MANAGER_TYPE,
      stat_prefix: "x",
      http_filters: filters.map((name) => filter(name)),
      ...more,
    },
  };
}

export function tcpFilter(name: string): JsonObject {
  return filter(name, "envoy.extensions.filters.network.echo.v3.Echo");
}

/** A listener on 127.0.0.1:8080 named `l`. */
export function listener(fields: JsonObject): Listener {
  const address = { socket_address: { address: "127.0.0.1", port_value: 8080 } };
  return message(ListenerSchema, { name: "l", address, ...fields });
}

interface ShownFilter {
  readonly name: string;
  readonly typed_config?: { readonly http_filters?: readonly { readonly name: string }[] };
}

interface ShownChain {
  readonly filters?: readonly ShownFilter[];
}

/** The chains after the patches: names of network filters, with the names of HTTP filters in a connection manager. */
export function chainsAfter(fields: JsonObject, patches: readonly ShortPatch[], log = new Witness()): unknown {
  const target = listener(fields);
  const context = "SIDECAR_OUTBOUND";
  if (!patchListener(patching(context, patches, log), target)) return null;
  const json = asJson(ListenerSchema, target) as { filter_chains?: ShownChain[]; default_filter_chain?: ShownChain };
  const last = json.default_filter_chain;
  const shown = (json.filter_chains ?? []).map(namesOf);
  return last === undefined ? shown : { chains: shown, last: namesOf(last) };
}

/** The names of the listener filters after the patches. */
export function listenerFiltersAfter(fields: JsonObject, patches: readonly ShortPatch[]): string[] {
  const target = listener(fields);
  patchListener(patching("SIDECAR_OUTBOUND", patches), target);
  return target.listenerFilters.map(({ name }) => name);
}

function namesOf({ filters = [] }: ShownChain): unknown[] {
  return filters.map(({ name, typed_config: config }) =>
    config?.http_filters === undefined ? name : config.http_filters.map((entry) => entry.name),
  );
}
