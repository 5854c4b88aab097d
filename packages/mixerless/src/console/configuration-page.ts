import type {
  ConfigurationFault,
  ConfigurationObject,
  ConfigurationPage,
  ProxyState,
  SyncState,
} from "@mixerless/console";
import { stringify } from "yaml";
import { fetchJson } from "../mesh/http.ts";
import { syncStates } from "../view/proxy-status.ts";

interface RawObject {
  readonly kind?: string;
  readonly apiVersion?: string;
  readonly metadata?: { readonly name?: string; readonly namespace?: string };
}

interface RawFault {
  readonly severity: string;
  readonly code: string;
  readonly object: string;
  readonly path: string;
  readonly file: string;
  readonly line: number;
  readonly message: string;
  readonly cure: string;
}

/** What the control plane at `pilot` has and what its proxies have taken. */
export async function configurationPage(pilot: string): Promise<ConfigurationPage> {
  const [syncz, objects, faults] = await Promise.all([
    fetchJson<Record<string, string>[]>(`${pilot}/debug/syncz`),
    fetchJson<RawObject[]>(`${pilot}/debug/configz`),
    fetchJson<RawFault[]>(`${pilot}/debug/faultz`),
  ]);
  return {
    proxies: syncz.map(proxyState).sort((a, b) => (a.name < b.name ? -1 : 1)),
    objects: objects.map(configurationObject),
    faults: faults.map(configurationFault),
  };
}

function proxyState(entry: Record<string, string>): ProxyState {
  const { proxy = "", istio_version: version = "", connected_at: connectedAt = "" } = entry;
  const types = syncStates(entry).map(({ type, state, error }): SyncState => ({ type, state, error }));
  return { name: proxy, version, connectedAt, types };
}

function configurationObject(raw: RawObject): ConfigurationObject {
  const { kind = "", apiVersion = "", metadata } = raw;
  return { kind, apiVersion, name: metadata?.name ?? "", namespace: metadata?.namespace ?? "", yaml: stringify(raw) };
}

function configurationFault({ severity, code, object, path, file, line, message, cure }: RawFault): ConfigurationFault {
  const place = `${file}${line === 0 ? "" : `:${line}`}${path === "" ? "" : ` ${path}`}`;
  return { severity, code, object, place, message: cure === "" ? message : `${message} ${cure}` };
}
