import { isIP } from "../schema/hosts.ts";
import { lists, object, optional, required, withDefault } from "../schema/object.ts";
import { boolean, convert, describe, list, map, oneOf, type Reader, string } from "../schema/reader.ts";
import { port } from "../schema/shared-readers.ts";
import type { EndpointSliceSpec, SliceEndpoint } from "./kubernetes.ts";

const OPEN = { open: true } as const;

/** Absent conditions mean ready, as Kubernetes asks consumers to read them. */
const conditions = object(
  { ready: optional(boolean), serving: optional(boolean), terminating: withDefault(boolean, false) },
  OPEN,
);

const endpoint: Reader<SliceEndpoint> = convert(
  object(
    {
      addresses: required(list(string, { min: 1, max: 100 })),
      conditions: optional(conditions),
      nodeName: withDefault(string, ""),
      zone: withDefault(string, ""),
      targetRef: optional(
        object(
          { kind: withDefault(string, ""), name: withDefault(string, ""), namespace: withDefault(string, "") },
          OPEN,
        ),
      ),
    },
    OPEN,
  ),
  ({ addresses, conditions, nodeName, zone, targetRef }, at) => {
    const ready = conditions?.ready ?? true;
    const base = { addresses, nodeName, zone, ready, serving: conditions?.serving ?? ready };
    const terminating = conditions?.terminating ?? false;
    if (targetRef?.kind !== "Pod") return Object.freeze({ ...base, terminating });
    const namespace = targetRef.namespace || at.subject.namespace;
    return Object.freeze({ ...base, terminating, targetPod: Object.freeze({ name: targetRef.name, namespace }) });
  },
);

const slicePort = convert(
  object({ name: withDefault(string, ""), port: optional(port), protocol: withDefault(string, "TCP") }, OPEN),
  (read) => Object.freeze({ ...read, port: read.port ?? 0 }),
);

/** Reads the whole object: an EndpointSlice has no spec. */
export const endpointSlice: Reader<EndpointSliceSpec> = convert(
  object(
    {
      metadata: optional(object({ labels: withDefault(map(string), {}) }, OPEN)),
      addressType: required(oneOf("IPv4", "IPv6", "FQDN")),
      ports: lists(slicePort),
      endpoints: lists(endpoint),
    },
    OPEN,
  ),
  ({ metadata, ...read }, at) => {
    const family = read.addressType === "IPv4" ? 4 : read.addressType === "IPv6" ? 6 : 0;
    read.endpoints.forEach((entry, index) => {
      entry.addresses.forEach((address, position) => {
        if (isIP(address) === family) return;
        const here = at.at("endpoints").at(index).at("addresses").at(position);
        here.error("bad-address", `${describe(address)} is no address of type ${read.addressType}.`, "Correct it.");
      });
    });
    const serviceName = metadata?.labels["kubernetes.io/service-name"] ?? "";
    return Object.freeze({ ...read, serviceName });
  },
);
