import type { DescMessage, Message } from "@bufbuild/protobuf";
import { walkFields } from "@mixerless/wire";
import { type Bootstrap, BootstrapSchema } from "@mixerless/wire/envoy/config/bootstrap/v3/bootstrap";
import { classifyField } from "../config/classify-field.ts";
import type { ConfigRegistry } from "../config/config-registry.ts";
import { type ResourceKind, SCHEMAS } from "../config/resource-kinds.ts";

interface IgnoredField {
  readonly type: string;
  readonly field: string;
  /** How many resources set it; the bootstrap counts as one. */
  resources: number;
  /** The first that does, and where in it. */
  readonly example: { readonly resource: string; readonly path: string };
}

/** Routes and filter configurations are judged by their compilers, which keep no list. */
const KINDS: readonly ResourceKind[] = ["listener", "cluster", "endpoints"];

/**
 * The fields that are set in what the proxy runs with, and that it accepts without acting on them [decision 1].
 * One entry for each field of a message type, so that the lists of the classes bound it, not the configuration.
 */
export function ignoredFields(bootstrap: Bootstrap, registry: ConfigRegistry): IgnoredField[] {
  const found = new Map<string, IgnoredField>();
  collect(found, "bootstrap", BootstrapSchema, bootstrap);
  for (const kind of KINDS) {
    for (const { name, message } of registry.resources(kind)) collect(found, `${kind} ${name}`, SCHEMAS[kind], message);
  }
  return [...found.keys()].sort().flatMap((key) => found.get(key) ?? []);
}

function collect(found: Map<string, IgnoredField>, resource: string, schema: DescMessage, message: Message): void {
  const counted = new Set<string>();
  walkFields(schema, message as never, {
    field: (visit) => {
      const made = classifyField(visit);
      const [type, field] = [visit.schema.typeName, visit.field.name];
      const key = `${type} ${field}`;
      if (made === "ignored" && !counted.has(key)) {
        counted.add(key);
        const known = found.get(key);
        if (known !== undefined) known.resources++;
        else found.set(key, { type, field, resources: 1, example: { resource, path: visit.path.toString() } });
      }
      // The registry has the static resources too.
      return made === "implemented" && field !== "static_resources";
    },
  });
}
