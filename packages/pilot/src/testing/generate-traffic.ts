import { readFileSync } from "node:fs";
import { create, type JsonObject, type Message } from "@bufbuild/protobuf";
import { toJson } from "@mixerless/wire";
import { NodeSchema } from "@mixerless/wire/envoy/config/core/v3/base";
import { TypeUrl } from "@mixerless/xds";
import type { Kind } from "../config/config-object.ts";
import { ConfigStore } from "../config/config-store.ts";
import { formatFaults } from "../config/fault.ts";
import { KINDS } from "../config/kind-registry.ts";
import { readConfig } from "../config/read-config.ts";
import type { Generated, Provenance } from "../generators/generated.ts";
import type { GeneratorInput } from "../generators/generator-input.ts";
import { createPushContext } from "../model/create-push-context.ts";
import { parseProxyNode } from "../model/parse-proxy-node.ts";
import { spiffeIdentity } from "../model/workload-endpoint.ts";
import { generate, SCHEMA_OF_TYPE } from "../push/generate-resources.ts";
import { referencedNames } from "../push/referenced-names.ts";
import type { ShortConfig, TrafficCase } from "./traffic-case.ts";

const TYPES = {
  clusters: TypeUrl.cluster,
  endpoints: TypeUrl.endpoint,
  listeners: TypeUrl.listener,
  routes: TypeUrl.route,
} as const;

/** What a proxy would be sent, by type and name. */
export interface GeneratedTraffic {
  /** Type URL → name → message. */
  readonly messages: ReadonlyMap<string, ReadonlyMap<string, Message>>;
  /** `clusters`, `endpoints`, `listeners`, `routes` → name → JSON with the declared field names. */
  readonly json: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** Identity behind each address that has one. */
  readonly identities: ReadonlyMap<string, string>;
  /** Of the proxy's own workload; of the account `default` when it has none. */
  readonly identity: string;
  /** Generated resources that no object answers for. */
  readonly unexplained: readonly string[];
  /** Type → resource → the objects that it was made from, with the places in them. */
  readonly provenance: Readonly<Record<string, Readonly<Record<string, readonly Provenance[]>>>>;
  /** Route configuration → `<virtual host>/routes[<number>]` → where that route comes from. */
  readonly routeOrigins: Readonly<Record<string, Readonly<Record<string, Provenance>>>>;
  /** Text of every file that was read, by name. */
  readonly files: Readonly<Record<string, string>>;
}

/** Every resource that the proxy of a case would ask for. Throws on a faulty configuration. */
export function generateTraffic(trafficCase: TrafficCase, folder: URL): GeneratedTraffic {
  const input = loadTraffic(trafficCase, folder);
  const messages = new Map<string, Map<string, Message>>();
  const json: Record<string, Record<string, unknown>> = {};
  const unexplained: string[] = [];
  const provenance: Record<string, Record<string, readonly Provenance[]>> = {};
  const routeOrigins: Record<string, Record<string, Provenance>> = {};
  for (const [key, typeUrl] of Object.entries(TYPES)) {
    const generated: readonly Generated[] = generate(input, typeUrl, referencedNames(input, typeUrl)) ?? [];
    messages.set(typeUrl, new Map(generated.map(({ name, message }) => [name, message])));
    json[key] = Object.fromEntries(generated.map(({ name, message }) => [name, asJson(typeUrl, message)]));
    provenance[key] = Object.fromEntries(generated.map((entry) => [entry.name, entry.provenance]));
    for (const entry of generated) {
      if (entry.provenance.length === 0) unexplained.push(entry.name);
      if (entry.elements !== undefined)
        // What patches changed later comes after what it was made from.
        routeOrigins[entry.name] = Object.fromEntries(
          entry.elements.map((part) => [part.name, part.provenance] as const).reverse(),
        );
    }
  }
  const { push, proxy } = input;
  const account = push.workload(proxy)?.serviceAccount || "default";
  const identity = spiffeIdentity(push.mesh.trustDomain, proxy.namespace, account);
  return {
    messages,
    json,
    identities: identitiesOf(input),
    identity,
    unexplained,
    provenance,
    routeOrigins,
    files: filesOf(trafficCase, folder),
  };
}

function identitiesOf({ push }: GeneratorInput): ReadonlyMap<string, string> {
  const endpoints = push.services.flatMap((service) =>
    service.ports.flatMap(({ port }) => push.endpoints(service.key, port)),
  );
  return new Map(endpoints.filter(({ identity }) => identity !== "").map((entry) => [entry.address, entry.identity]));
}

/** The proxy of a case with its revision of the configuration. */
export function loadTraffic({ base, config, node, name, mutualTls }: TrafficCase, folder: URL): GeneratorInput {
  const files = Object.entries(filesOf({ base, config }, folder)).map(([file, text]) => ({ file, text }));
  const store = new ConfigStore();
  store.apply(files.map((file, root) => ({ reading: readConfig({ ...file, root }) })));
  const errors = store.faults().filter((fault) => fault.severity === "error");
  if (errors.length > 0) throw new Error(`${name}: ${formatFaults(errors)}`);
  const proxy = parseProxyNode(nodeMessage(node));
  if (typeof proxy === "string") throw new Error(`${name}: ${proxy}`);
  return { proxy, push: createPushContext(store.snapshot()), telemetry: "native", mutualTls };
}

function filesOf({ base, config }: Pick<TrafficCase, "base" | "config">, folder: URL): Record<string, string> {
  const files = base.map((file) => [file, readFileSync(new URL(file, folder), "utf8")] as const);
  return Object.fromEntries([...files, ["case.yaml", written(config)]]);
}

function asJson(typeUrl: string, message: Message): unknown {
  const schema = SCHEMA_OF_TYPE[typeUrl];
  return schema === undefined ? null : toJson(schema, message as never, { declaredNames: true });
}

/** Short form to documents. */
function written(config: ShortConfig): string {
  const documents = Object.entries(config).flatMap(([kind, objects]) =>
    Object.entries(objects).map(([name, spec]) => JSON.stringify(manifest(kind as Kind, name, spec))),
  );
  return documents.join("\n---\n");
}

function manifest(kind: Kind, name: string, fields: Readonly<Record<string, unknown>>): unknown {
  const definition = KINDS[kind];
  if (definition === undefined) throw new Error(`unknown kind ${kind}`);
  const { "+": more, ...spec } = fields;
  const { metadata, ...rest } = (more ?? {}) as JsonObject;
  const [first = "", second] = name.split("/");
  const own = { name: second ?? first, namespace: second === undefined ? "default" : first };
  return {
    apiVersion: [definition.group, definition.versions[0]].filter(Boolean).join("/"),
    kind,
    metadata: { ...own, ...(metadata as object | undefined) },
    ...rest,
    ...(kind === "EndpointSlice" ? spec : { spec }),
  };
}

function nodeMessage(node: Readonly<Record<string, unknown>>) {
  const { id, metadata, locality, userAgentName } = node;
  return create(NodeSchema, {
    id: (id as string | undefined) ?? "sidecar~10.0.0.5~client-v1.default~default.svc.cluster.local",
    userAgentName: (userAgentName as string | undefined) ?? "mixerless",
    metadata: { INTERCEPTION_MODE: "NONE", NAMESPACE: "default", ...(metadata as JsonObject | undefined) },
    ...(locality === undefined ? {} : { locality: locality as object }),
  });
}
