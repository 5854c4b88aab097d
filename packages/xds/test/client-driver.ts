import type { ClientProtocol, ResourceUpdate, UpdateHandler, Wanted } from "../src/client/client-protocol.ts";
import { DeltaClient } from "../src/client/delta-client.ts";
import { resourceNameOf } from "../src/client/resource-name.ts";
import { SotwClient } from "../src/client/sotw-client.ts";
import type { DeltaRequest, DeltaResponse, SotwRequest, SotwResponse } from "../src/messages.ts";
import type { ResourceFault } from "../src/refusal.ts";
import { contentOf, resource } from "./resources.ts";
import type { Mode } from "./stream-driver.ts";

/** A request in the words that both protocols share. */
export interface Asked {
  typeUrl: string;
  /** Names asked for with this request (delta: newly; state of the world: all), sorted. */
  names: string[];
  /** Delta: names taken back. */
  gone: string[];
  /** Nonce that is answered, "" if none. */
  nonce: string;
  error: string | null;
  /** Version quoted (state of the world) or held (delta), per name. */
  versions: Record<string, string>;
}

/** A server's hand on one client machine. */
export interface ClientDriver {
  /** The handler's verdicts: content → why it is refused. */
  readonly refused: Map<string, string>;
  /** Called while an update is handled. */
  onUpdate: (update: ResourceUpdate) => void;
  readonly updates: ResourceUpdate[];
  /** Name → content, as handed over and accepted. */
  readonly held: Map<string, string>;
  connect(): Asked[];
  disconnect(): void;
  want(typeUrl: string, wanted: Wanted): Asked[];
  /** A response with these resources (name → content). */
  respond(typeUrl: string, nonce: string, resources: Record<string, string>, removed?: string[]): Asked[];
  restore(update: ResourceUpdate): void;
  readonly protocol: ClientProtocol<unknown, unknown>;
}

export function createClientDriver(mode: Mode): ClientDriver {
  const refused = new Map<string, string>();
  const updates: ResourceUpdate[] = [];
  const held = new Map<string, string>();
  const handler: UpdateHandler = (update) => {
    updates.push(update);
    const faults: ResourceFault[] = [];
    for (const { name, any } of update.resources) {
      const message = refused.get(contentOf(any));
      if (message === undefined) held.set(name, contentOf(any));
      else faults.push({ name, message });
    }
    for (const name of update.removed) held.delete(name);
    driver.onUpdate(update);
    return faults;
  };
  const machine = mode === "delta" ? deltaMachine(handler) : sotwMachine(handler);
  const driver: ClientDriver = { refused, updates, held, onUpdate: () => {}, ...machine };
  return driver;
}

function deltaMachine(handler: UpdateHandler) {
  const client = new DeltaClient(handler);
  const asked = (requests: DeltaRequest[]) => requests.map(deltaAsked);
  return {
    protocol: client as unknown as ClientProtocol<unknown, unknown>,
    connect: () => asked(client.connected()),
    disconnect: () => client.disconnected(),
    restore: (update: ResourceUpdate) => client.restore(update),
    want: (typeUrl: string, wanted: Wanted) => asked(client.want(typeUrl, wanted)),
    respond: (typeUrl: string, nonce: string, resources: Record<string, string>, removed: string[] = []) => {
      const response: DeltaResponse = {
        typeUrl,
        nonce,
        systemVersionInfo: `system ${nonce}`,
        resources: Object.entries(resources).map(([name, content]) => ({
          name,
          version: `of ${content}`,
          resource: resource(typeUrl, name, content),
        })),
        removedResources: removed,
      };
      return asked(client.received(response));
    },
  };
}

function sotwMachine(handler: UpdateHandler) {
  const client = new SotwClient(handler, resourceNameOf);
  const asked = (requests: SotwRequest[]) => requests.map(sotwAsked);
  return {
    protocol: client as unknown as ClientProtocol<unknown, unknown>,
    connect: () => asked(client.connected()),
    disconnect: () => client.disconnected(),
    restore: (update: ResourceUpdate) => client.restore(update),
    want: (typeUrl: string, wanted: Wanted) => asked(client.want(typeUrl, wanted)),
    respond: (typeUrl: string, nonce: string, resources: Record<string, string>) => {
      const response: SotwResponse = {
        typeUrl,
        nonce,
        versionInfo: `system ${nonce}`,
        resources: Object.entries(resources).map(([name, content]) => resource(typeUrl, name, content)),
      };
      return asked(client.received(response));
    },
  };
}

function deltaAsked(request: DeltaRequest): Asked {
  return {
    typeUrl: request.typeUrl,
    names: [...request.resourceNamesSubscribe].sort(),
    gone: [...request.resourceNamesUnsubscribe].sort(),
    nonce: request.responseNonce,
    error: request.errorDetail?.message ?? null,
    versions: { ...request.initialResourceVersions },
  };
}

function sotwAsked(request: SotwRequest): Asked {
  return {
    typeUrl: request.typeUrl,
    names: [...request.resourceNames].sort(),
    gone: [],
    nonce: request.responseNonce,
    error: request.errorDetail?.message ?? null,
    versions: { "": request.versionInfo },
  };
}
