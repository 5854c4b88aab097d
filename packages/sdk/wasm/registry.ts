import { RootContext, StreamContext } from "./context";
import { RootHandle } from "./host";

let createRoot: ((host: RootHandle) => RootContext) | null = null;
const roots: Map<u32, RootContext> = new Map<u32, RootContext>();
const streams: Map<u32, StreamContext> = new Map<u32, StreamContext>();

/** Names the factory of this module. Its entry calls this once. */
export function registerRoot(create: (host: RootHandle) => RootContext): void {
  createRoot = create;
}

/** `parent` 0 makes a root, another makes a stream of that root. */
export function createContext(id: u32, parent: u32): void {
  if (parent === 0) {
    const create = createRoot;
    if (create !== null && !roots.has(id)) roots.set(id, create(id));
    return;
  }
  const root = findRoot(parent);
  if (root !== null) streams.set(id, root.createStream(id));
}

export function findRoot(id: u32): RootContext | null {
  return roots.has(id) ? roots.get(id) : null;
}

export function findStream(id: u32): StreamContext | null {
  return streams.has(id) ? streams.get(id) : null;
}

export function forget(id: u32): void {
  if (!streams.delete(id)) roots.delete(id);
}
