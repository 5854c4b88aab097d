import type { Side } from "@mixerless/extensions";
import { FIRST_REQUEST_LABEL } from "../metrics/definitions.ts";
import type { Relation } from "./combinations.ts";
import { fromByteString, known } from "./text.ts";

/** The values of `METRIC_LABELS`, those of requests only where it is one [telemetry §5.3]. */
export function metricLabels(
  relation: Relation,
  { meshUid, localOwner, isServer }: { meshUid: string; localOwner: string; isServer: boolean },
): string[] {
  const { protocol, source, destination, peer } = relation;
  const peerOwner = peer?.field("owner") ?? "";
  const values = [
    protocol,
    relation.policy,
    meshUid,
    relation.serviceName,
    relation.serviceNamespace,
    relation.port,
    ...sideLabels(source, isServer ? peerOwner : localOwner),
    ...sideLabels(destination, isServer ? localOwner : peerOwner),
    ...[relation.operation, relation.code > 0 ? String(relation.code) : "0", "", ""],
  ].map(known);
  return protocol === "tcp" ? values.slice(0, FIRST_REQUEST_LABEL) : values;
}

function sideLabels(side: Side, owner: string): string[] {
  return [
    side.principal,
    side.workload,
    side.namespace,
    owner,
    side.canonicalService,
    side.namespace,
    side.canonicalRevision,
  ].map(fromByteString);
}
