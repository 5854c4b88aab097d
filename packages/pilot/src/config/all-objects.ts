import type { ConfigObject, Kind } from "./config-object.ts";
import type { ConfigSnapshot } from "./config-snapshot.ts";
import { KINDS } from "./kind-registry.ts";

/** Every object of a snapshot, kind by kind, oldest first. */
export function allObjects(snapshot: ConfigSnapshot): ConfigObject[] {
  return (Object.keys(KINDS) as Kind[]).flatMap((kind): readonly ConfigObject[] => snapshot.list(kind));
}
