// Parts that several kinds share.
import type { ConfigPort, Destination, TargetRef, WorkloadSelector } from "../kinds/common.ts";
import type { Cursor } from "./cursor.ts";
import { isDnsLabel } from "./hosts.ts";
import { lists, object, optional, required, withDefault } from "./object.ts";
import {
  convert,
  describe,
  int32,
  integer,
  list,
  map,
  nonEmpty,
  number,
  type Reader,
  string,
  uint32,
} from "./reader.ts";

/** 1 to 65535. */
export const port = integer({ min: 1, max: 65535 });

/** 0 to 100, as a whole number. */
export const percentInt: Reader<number> = integer({ min: 0, max: 100 });

/** `{value: 12.5}`: 0, or 0.0001 to 100. */
export const percent: Reader<number> = convert(
  object({ value: withDefault(number({ min: 0, max: 100 }), 0) }),
  ({ value }, at) => {
    if (value > 0 && value < 0.0001) {
      at.at("value").error("out-of-range", `${value} is finer than 0.0001.`, "Use 0, or a number from 0.0001 to 100.");
    }
    return value;
  },
);

/** `{number: 80}`, as destinations and port-level settings write it. */
export const portSelector: Reader<number> = convert(object({ number: required(port) }), ({ number }) => number);

const subsetName: Reader<string> = convert(string, (name, at) => {
  if (name !== "" && !isDnsLabel(name)) at.error("bad-name", `${describe(name)} is no subset name.`, SUBSET_CURE);
  return name;
});
const SUBSET_CURE = "Use letters, digits and inner hyphens, at most 63 characters.";

export const destination: Reader<Destination> = convert(
  object({ host: required(nonEmpty), subset: optional(subsetName), port: optional(portSelector) }),
  ({ host, subset, port }, at) => {
    if (host === "*") at.at("host").error("bad-host", "A destination can't be *.", "Name one service.");
    return Object.freeze({
      host,
      ...(subset === undefined || subset === "" ? {} : { subset }),
      ...(port === undefined ? {} : { port }),
    });
  },
);

/** A weight of a route; 0 when absent. */
export const weight: Reader<number> = (value, at) => {
  const read = int32(value, at);
  if (read !== undefined && read < 0) at.error("negative-weight", `The weight ${read} is negative.`, "Use 0 or more.");
  return read;
};

const PROTOCOLS = ["HTTP", "HTTP2", "GRPC", "GRPC-WEB", "HTTPS", "TLS", "TCP", "MONGO", "REDIS", "MYSQL"];

/** Protocols that Gateway and Sidecar ports may name; HTTP_PROXY is for Sidecar egress. */
export function checkProtocol(protocol: string, at: Cursor, extra: readonly string[] = []): void {
  if ([...PROTOCOLS, "UDP", ...extra].includes(protocol.toUpperCase())) return;
  at.error(
    "unknown-protocol",
    `${describe(protocol)} is no protocol of a port.`,
    `Use one of ${PROTOCOLS.join(", ")}.`,
  );
}

/** A port of Gateway, Sidecar or ServiceEntry. The range of `number` is up to the kind. */
export const configPort: Reader<ConfigPort> = object({
  number: withDefault(uint32, 0),
  protocol: withDefault(string, ""),
  name: withDefault(string, ""),
  targetPort: optional(uint32),
});

export function checkPortNumber(value: number, at: Cursor): void {
  if (value >= 1 && value <= 65535) return;
  at.error("bad-port", `${value} is no port number.`, "Use a number from 1 to 65535.");
}

/** Selector labels: no empty key, no wildcard (§8.5, §8.10). */
const selectorLabels: Reader<Readonly<Record<string, string>>> = map(
  convert(string, (value, at) => {
    if (value.includes("*"))
      at.error("bad-selector", "A selector value can't have a *.", "Write the whole label value.");
    if (value.length > 63) at.error("bad-selector", "A label value has at most 63 characters.", "Shorten it.");
    return value;
  }),
  {
    max: 4096,
    key: (key, at) => {
      if (key === "") at.error("bad-selector", "A selector key is empty.", "Write the name of a label.");
      if (key.includes("*")) at.error("bad-selector", "A selector key can't have a *.", "Write the name of a label.");
    },
  },
);

function selectorWith(field: "labels" | "matchLabels"): Reader<WorkloadSelector> {
  return convert(object({ [field]: withDefault(selectorLabels, {}) }), (written, at) => {
    const labels = written[field] ?? {};
    if (Object.keys(labels).length === 0) {
      at.warn(
        "selects-everything",
        "The selector has no labels, so it selects every workload.",
        "Add labels or remove it.",
      );
    }
    return Object.freeze({ labels });
  });
}

/** `selector: {matchLabels: {…}}` */
export const matchLabelsSelector = selectorWith("matchLabels");
/** `workloadSelector: {labels: {…}}` */
export const labelsSelector = selectorWith("labels");

const TARGET_KINDS = [
  "/Service",
  "networking.istio.io/ServiceEntry",
  "gateway.networking.k8s.io/Gateway",
  "gateway.networking.k8s.io/GatewayClass",
];

export const targetRef: Reader<TargetRef> = convert(
  object({
    group: withDefault(string, ""),
    kind: required(nonEmpty),
    name: required(nonEmpty),
    namespace: withDefault(string, ""),
  }),
  ({ group, kind, name, namespace }, at) => {
    if (namespace !== "") {
      at.at("namespace").error("bad-target", "A target in another namespace is not supported.", "Remove namespace.");
    }
    const target = `${group === "core" ? "" : group}/${kind}`;
    if (!TARGET_KINDS.includes(target)) {
      at.error("bad-target", `A target can't be a ${target}.`, `Use one of ${TARGET_KINDS.join(", ")}.`);
    }
    return Object.freeze({ group, kind, name });
  },
);

/** The fields by which policies attach; {@link attachment} folds them. */
export const attachmentFields = {
  selector: optional(matchLabelsSelector),
  targetRef: optional(targetRef),
  targetRefs: optional(list(targetRef, { max: 16 })),
} as const;

export interface WrittenAttachment {
  readonly selector?: WorkloadSelector;
  readonly targetRef?: TargetRef;
  readonly targetRefs?: readonly TargetRef[] | undefined;
}

/** One of selector, targetRef and targetRefs (§8.10). */
export function attachment(
  written: WrittenAttachment,
  at: Cursor,
): { selector?: WorkloadSelector; targetRefs: readonly TargetRef[] } {
  const { selector, targetRef, targetRefs } = written;
  const ways = [selector, targetRef, targetRefs].filter((way) => way !== undefined);
  if (ways.length > 1) {
    at.error("several-attachments", "Only one of targetRefs or selector can be set.", "Keep the one that you mean.");
  }
  const rest = targetRefs ?? [];
  const refs = targetRef === undefined ? rest : [targetRef, ...rest];
  return { ...(selector === undefined ? {} : { selector }), targetRefs: refs };
}

const NAMESPACE_CURE = "Use *, ., ~ or the name of a namespace.";

/** exportTo (§8.9). The namespace of the object comes from the cursor. */
export const exportTo: Reader<readonly string[]> = (value, at) => {
  const entries = lists(string).reader(value, at);
  if (entries === undefined) return undefined;
  const seen = new Set<string>();
  entries.forEach((entry, index) => {
    const here = at.at(index);
    const namespace = entry === "." ? at.subject.namespace : entry;
    if (seen.has(namespace)) here.error("repeated-export", `${describe(entry)} is listed twice.`, "Remove one.");
    seen.add(namespace);
    if (!["*", ".", "~"].includes(entry) && !isDnsLabel(entry)) {
      here.error("bad-export", `${describe(entry)} names no namespace.`, NAMESPACE_CURE);
    }
    if ((entry === "*" || entry === "~") && entries.length > 1) {
      here.error("bad-export", `${entry} can't stand beside other entries.`, `Keep ${entry} alone, or remove it.`);
    }
  });
  return entries;
};

/** Reports entries that occurred before; `nameOf` may return undefined to leave one out. */
export function checkUnique<T>(
  entries: readonly T[],
  nameOf: (entry: T) => string | number | undefined,
  report: (name: string | number, index: number, first: number) => void,
): void {
  const first = new Map<string | number, number>();
  entries.forEach((entry, index) => {
    const name = nameOf(entry);
    if (name === undefined) return;
    const earlier = first.get(name);
    if (earlier === undefined) first.set(name, index);
    else report(name, index, earlier);
  });
}
