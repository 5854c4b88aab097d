import { CommandError } from "./command-error.ts";
import type { AdsClient, PilotClient } from "./pilot-client.ts";

/** One connected proxy and where its pages are. */
export interface ProxyPlace {
  /** `<name>.<namespace>`. */
  readonly key: string;
  readonly name: string;
  readonly namespace: string;
  readonly workload: string;
  readonly type: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly connectedAt: string;
  /** URL of its admin interface. */
  readonly admin: string;
  /** URL of the merged series. */
  readonly merged: string;
}

/** Every proxy that is connected, by name; one that has two streams for a moment counts once. */
export async function connectedProxies(pilot: PilotClient, namespace?: string): Promise<ProxyPlace[]> {
  const places = new Map<string, ProxyPlace>();
  for (const client of await pilot.clients()) {
    const place = proxyPlace(client);
    if (namespace === undefined || place.namespace === namespace) places.set(place.key, place);
  }
  return [...places.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
}

function proxyPlace({ connectionId, connectedAt, labels = {}, metadata = {} }: AdsClient): ProxyPlace {
  const [type = "", address = "", key = ""] = connectionId.split("~");
  const text = (name: string) => (typeof metadata[name] === "string" ? metadata[name] : "");
  const ip = text("INSTANCE_IPS").split(",")[0] || address;
  const host = ip.includes(":") ? `[${ip}]` : ip;
  const config = (metadata.PROXY_CONFIG ?? {}) as { proxyAdminPort?: number; statusPort?: number };
  const namespace = text("NAMESPACE");
  return {
    ...{ key, type, labels, connectedAt, namespace },
    name: namespace !== "" && key.endsWith(`.${namespace}`) ? key.slice(0, -namespace.length - 1) : key,
    workload: text("WORKLOAD_NAME"),
    admin: `http://${host}:${config.proxyAdminPort ?? 15000}`,
    merged: `http://${host}:${config.statusPort ?? 15020}/stats/prometheus`,
  };
}

/** The proxy of `name`, `name.namespace` or `kind/name[.namespace]`, where a workload's name counts as one. */
export async function findProxy(pilot: PilotClient, wanted: string, namespace?: string): Promise<ProxyPlace> {
  const proxies = await connectedProxies(pilot);
  const [, name = ""] = /^(?:[a-z]+\/)?(.+)$/i.exec(wanted) ?? [];
  const fits = (place: ProxyPlace) => namespace === undefined || place.namespace === namespace;
  const exact = proxies.filter((place) => place.key === name);
  const found =
    exact.length > 0
      ? exact
      : proxies.filter(
          (place) =>
            (place.name === name || place.workload === name || place.key === `${name}.${namespace}`) && fits(place),
        );
  const [first, second] = found;
  if (first === undefined) {
    const known = proxies.map(({ key }) => key).join(", ");
    throw new CommandError(`No proxy "${wanted}" is connected. Connected: ${known || "none"}.`);
  }
  if (second !== undefined) {
    throw new CommandError(`"${wanted}" may be ${found.map(({ key }) => key).join(" or ")}. Give its namespace.`);
  }
  return first;
}
