import { toBinary } from "@bufbuild/protobuf";
import type { IncomingUpdate, RefusedUpdate } from "../config/resource-intake.ts";
import { type ResourceKind, SCHEMAS } from "../config/resource-kinds.ts";
import type { CarriedResource, CarriedUpdate } from "./messages.ts";

/** The order in which a new worker must learn them. */
const ORDER: readonly ResourceKind[] = ["cluster", "endpoints", "extension", "listener", "routes"];

/** Everything that the control plane has given and that is in use, for workers that start later. */
export class ResourceMirror {
  readonly #kinds = new Map<ResourceKind, { version: string; readonly resources: Map<string, CarriedResource> }>();

  /** Takes in what was accepted of an update and gives it in the form in which it goes to the workers. */
  take(update: IncomingUpdate, refused: readonly RefusedUpdate[]): CarriedUpdate {
    const { kind, version, removed } = update;
    const refusedNames = new Set(refused.map(({ name }) => name));
    const resources: CarriedResource[] = [];
    for (const { name, version, message } of update.resources) {
      if (message === null || refusedNames.has(name)) continue;
      resources.push({ name, version, bytes: toBinary(SCHEMAS[kind], message) });
    }
    const known = this.#kinds.get(kind)?.resources ?? new Map<string, CarriedResource>();
    this.#kinds.set(kind, { version, resources: known });
    for (const name of removed) known.delete(name);
    for (const resource of resources) known.set(resource.name, resource);
    return { kind, version, resources, removed };
  }

  /** Forgets what is no longer wanted of a kind. */
  keep(kind: ResourceKind, names: ReadonlySet<string> | "*"): void {
    const known = this.#kinds.get(kind)?.resources;
    if (known === undefined || names === "*") return;
    for (const name of known.keys()) if (!names.has(name)) known.delete(name);
  }

  /** What a new worker must be told. */
  snapshot(): CarriedUpdate[] {
    const updates: CarriedUpdate[] = [];
    for (const kind of ORDER) {
      const known = this.#kinds.get(kind);
      if (known === undefined) continue;
      updates.push({ kind, version: known.version, resources: [...known.resources.values()], removed: [] });
    }
    return updates;
  }
}
