import { createHash } from "node:crypto";
import type { Any } from "@bufbuild/protobuf/wkt";
import type {
  ChangedResources,
  GeneratedResource,
  GeneratedResources,
  ProxySession,
  ResourceSource,
} from "./resource-source.ts";

/** A version that changes when and only when the bytes do. Encode deterministically first. */
export function contentVersion(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("base64url").slice(0, 16);
}

/** Makes a resource that does not exist, so that a proxy that asks for it does not hang; or undefined. */
export type Placeholder = (typeUrl: string, name: string) => Any | undefined;

/** The same resources for every proxy, held in memory: for tests, tools and fixed configurations. */
export class MapSource implements ResourceSource {
  readonly #types = new Map<string, Map<string, GeneratedResource>>();
  #changed = new Map<string, Set<string>>();
  readonly #placeholder: Placeholder;

  constructor(placeholder: Placeholder = () => undefined) {
    this.#placeholder = placeholder;
  }

  set(name: string, any: Any, options: { version?: string; endpointName?: string } = {}): void {
    const { version = contentVersion(any.value), endpointName } = options;
    const resource = endpointName === undefined ? { version, any } : { version, any, endpointName };
    this.#resources(any.typeUrl).set(name, resource);
    this.#touch(any.typeUrl, name);
  }

  delete(typeUrl: string, name: string): void {
    if (this.#resources(typeUrl).delete(name)) this.#touch(typeUrl, name);
  }

  get(typeUrl: string): ReadonlyMap<string, GeneratedResource> {
    return this.#resources(typeUrl);
  }

  /** What was set or deleted since the last call: the argument of the next push. */
  takeChanges(): ChangedResources {
    const changed = this.#changed;
    this.#changed = new Map();
    return changed;
  }

  open(): ProxySession {
    return { generate: (typeUrl, names) => this.#generate(typeUrl, names), onClose: () => {} };
  }

  #generate(typeUrl: string, names: ReadonlySet<string> | "wildcard"): GeneratedResources {
    const resources = this.#resources(typeUrl);
    if (names === "wildcard") return resources;
    const found = new Map<string, GeneratedResource>();
    for (const name of names) {
      const resource = resources.get(name) ?? this.#missing(typeUrl, name);
      if (resource !== undefined) found.set(name, resource);
    }
    return found;
  }

  #missing(typeUrl: string, name: string): GeneratedResource | undefined {
    const any = this.#placeholder(typeUrl, name);
    return any === undefined ? undefined : { version: contentVersion(any.value), any };
  }

  #resources(typeUrl: string): Map<string, GeneratedResource> {
    let resources = this.#types.get(typeUrl);
    if (resources === undefined) {
      resources = new Map();
      this.#types.set(typeUrl, resources);
    }
    return resources;
  }

  #touch(typeUrl: string, name: string): void {
    const names = this.#changed.get(typeUrl) ?? new Set();
    this.#changed.set(typeUrl, names.add(name));
  }
}
