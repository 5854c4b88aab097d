import type { Side } from "@mixerless/extensions";
import type { NodeFacts } from "../config/node-facts.ts";
import type { Relation } from "../filter/combinations.ts";
import { fromByteString } from "../filter/text.ts";

export type Labels = Readonly<Record<string, string>>;

/** Labels of the proxy's own side, the same for all its entries [telemetry §5.4]. */
export function ownLabels(node: NodeFacts, isServer: boolean, meshUid: string): Labels {
  const label = (name: string) => node("LABELS", name);
  const own = withPrefix(isServer ? "destination" : "source", {
    ...{ name: node("NAME"), workload: node("WORKLOAD_NAME"), namespace: node("NAMESPACE") },
    ...{ version: label("version"), app: label("app") },
    canonical_service: label("service.istio.io/canonical-name"),
    canonical_revision: label("service.istio.io/canonical-revision"),
  });
  return { ...own, mesh_uid: meshUid };
}

/** Labels that entries of one relation have in common: the other side, and the service. */
export function relationLabels(relation: Relation, isServer: boolean): Labels {
  const { peer, source, destination } = relation;
  const side = isServer ? source : destination;
  const text = (value: string | undefined) => fromByteString(value ?? "");
  const other = withPrefix(isServer ? "source" : "destination", {
    name: text(peer?.name),
    workload: text(side.workload),
    namespace: text(side.namespace),
    version: text(peer?.version),
    app: text(peer?.app),
    // Without a peer an endpoint still says whose it is.
    canonical_service: text(peer === null ? knownOnly(side.canonicalService) : peer.canonicalName),
    canonical_revision: text(peer?.canonicalRevision),
  });
  return {
    ...other,
    ...withoutEmpty({
      destination_service_host: relation.serviceHost,
      destination_service_name: relation.serviceName,
      source_principal: principalOf(source),
      destination_principal: principalOf(destination),
    }),
    service_authentication_policy: relation.policy,
    protocol: relation.protocol,
  };
}

/** The labels that have a value. */
export function withoutEmpty(labels: Labels): Labels {
  return Object.fromEntries(Object.entries(labels).filter(([, value]) => value !== ""));
}

function withPrefix(prefix: string, labels: Labels): Labels {
  const named = Object.entries(labels).map(([name, value]) => [`${prefix}_${name}`, value] as const);
  return withoutEmpty(Object.fromEntries(named));
}

function principalOf(side: Side): string {
  return fromByteString(knownOnly(side.principal));
}

function knownOnly(text: string): string {
  return text === "unknown" ? "" : text;
}
