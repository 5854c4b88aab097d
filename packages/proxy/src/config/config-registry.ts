import type { Message } from "@bufbuild/protobuf";
import type { Clock } from "@mixerless/clock";
import type { ResourceKind } from "./resource-kinds.ts";

/** A resource as it was taken, for `/config_dump`. */
export interface RegisteredResource {
  readonly name: string;
  readonly message: Message;
  /** Empty for resources of the bootstrap. */
  readonly version: string;
  /** Milliseconds since the epoch. */
  readonly updated: number;
  readonly dynamic: boolean;
}

/** The last version of a resource that was refused. */
export interface RefusedResource {
  readonly name: string;
  readonly version: string;
  readonly details: string;
  readonly attempted: number;
}

/** What the proxy runs with, in the messages it was told, and what it refused. */
export class ConfigRegistry {
  readonly #clock: Clock;
  readonly #taken = new Map<ResourceKind, Map<string, RegisteredResource>>();
  readonly #refused = new Map<ResourceKind, Map<string, RefusedResource>>();
  readonly #versions = new Map<ResourceKind, string>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  take(kind: ResourceKind, name: string, message: Message, version: string, dynamic: boolean): void {
    mapOf(this.#taken, kind).set(name, { name, message, version, updated: this.#clock.now(), dynamic });
    this.#refused.get(kind)?.delete(name);
  }

  refuse(kind: ResourceKind, name: string, version: string, details: string): void {
    mapOf(this.#refused, kind).set(name, { name, version, details, attempted: this.#clock.now() });
  }

  remove(kind: ResourceKind, name: string): void {
    this.#taken.get(kind)?.delete(name);
    this.#refused.get(kind)?.delete(name);
  }

  setVersion(kind: ResourceKind, version: string): void {
    this.#versions.set(kind, version);
  }

  /** The version of the last update of that kind as a whole. */
  version(kind: ResourceKind): string {
    return this.#versions.get(kind) ?? "";
  }

  resources(kind: ResourceKind): RegisteredResource[] {
    return [...(this.#taken.get(kind)?.values() ?? [])];
  }

  refusals(kind: ResourceKind): RefusedResource[] {
    return [...(this.#refused.get(kind)?.values() ?? [])];
  }

  has(kind: ResourceKind, name: string): boolean {
    return this.#taken.get(kind)?.has(name) ?? false;
  }
}

function mapOf<V>(maps: Map<ResourceKind, Map<string, V>>, kind: ResourceKind): Map<string, V> {
  let map = maps.get(kind);
  if (map === undefined) {
    map = new Map();
    maps.set(kind, map);
  }
  return map;
}
