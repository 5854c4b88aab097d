import type { Message } from "@bufbuild/protobuf";
import type { ConfigObject } from "../config/config-object.ts";
import type { Service } from "../model/service.ts";

/** The configuration object, and the place in it, that an element was made from. */
export interface Provenance {
  readonly config: ConfigObject;
  /** Field path in the object; empty for the object as a whole. */
  readonly path: string;
}

/** A part of a resource, such as a route of a virtual host, with the place that it was made from. */
export interface GeneratedElement {
  /** Within the resource: `<virtual host>/routes[<number>]`. */
  readonly name: string;
  readonly provenance: Provenance;
}

/** One xDS resource with the objects it came from, the most telling first. */
export interface Generated<M extends Message = Message> {
  readonly name: string;
  readonly message: M;
  readonly provenance: readonly Provenance[];
  /** Its parts, where they come from different places. */
  readonly elements?: readonly GeneratedElement[];
}

export function from(config: ConfigObject | undefined, path = ""): readonly Provenance[] {
  return config === undefined ? [] : [{ config, path }];
}

/** The port of a Service or ServiceEntry, as its object has it; the object as a whole if it has no such port. */
export function fromPort({ config }: Service, port: number): readonly Provenance[] {
  const written = config.raw.spec as { ports?: readonly { port?: unknown; number?: unknown }[] } | undefined;
  const index = (written?.ports ?? []).findIndex((entry) => Number(entry.port ?? entry.number) === port);
  return from(config, index < 0 ? "" : `spec.ports[${index}]`);
}
