import type { Message } from "@bufbuild/protobuf";
import type { ConfigObject } from "../config/config-object.ts";

/** The configuration object, and the place in it, that an element was made from. */
export interface Provenance {
  readonly config: ConfigObject;
  /** Field path in the object; empty for the object as a whole. */
  readonly path: string;
}

/** One xDS resource with the objects it came from, the most telling first. */
export interface Generated<M extends Message = Message> {
  readonly name: string;
  readonly message: M;
  readonly provenance: readonly Provenance[];
}

export function from(config: ConfigObject | undefined, path = ""): readonly Provenance[] {
  return config === undefined ? [] : [{ config, path }];
}
