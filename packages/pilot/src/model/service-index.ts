import { byAge, type ConfigObject } from "../config/config-object.ts";
import type { ConfigSnapshot } from "../config/config-snapshot.ts";
import type { MeshConfigSpec } from "../config/kinds/mesh-config.ts";
import type { ServiceEntryResolution } from "../config/kinds/service-entry.ts";
import { serviceHostname } from "./resolve-name.ts";
import { parseProtocol, selectProtocol } from "./select-protocol.ts";
import type { Resolution, Service, ServiceKey, ServicePort } from "./service.ts";
import { isVisibleTo, resolveVisibility } from "./visibility.ts";

const EXPORT_ANNOTATION = "networking.istio.io/exportTo";

const RESOLUTIONS: Readonly<Record<ServiceEntryResolution, Resolution>> = {
  NONE: "passthrough",
  STATIC: "client-side-lb",
  DNS: "dns-lb",
  DNS_ROUND_ROBIN: "dns-round-robin",
  DYNAMIC_DNS: "dynamic-dns",
};

export function serviceKey(namespace: string, hostname: string): ServiceKey {
  return `${namespace}/${hostname}`;
}

/** Every service of a snapshot, by key, by host name and by who sees it. */
export class ServiceIndex {
  /** Oldest first. */
  readonly all: readonly Service[];
  readonly #byKey = new Map<ServiceKey, Service>();
  readonly #byHostname = new Map<string, Service[]>();

  constructor(snapshot: ConfigSnapshot, mesh: MeshConfigSpec, clusterDomain: string) {
    const exportDefault = mesh.defaultServiceExportTo;
    const kubernetes = snapshot
      .list("Service")
      .map((config) => kubernetesService(config, clusterDomain, exportDefault));
    const entries = snapshot.list("ServiceEntry").flatMap((config) => entryServices(config, exportDefault));
    // In one namespace a Service goes before a ServiceEntry of the same host, and an older one before a younger.
    for (const service of [...kubernetes, ...entries]) {
      if (this.#byKey.has(service.key)) continue;
      this.#byKey.set(service.key, service);
      const same = this.#byHostname.get(service.hostname);
      if (same === undefined) this.#byHostname.set(service.hostname, [service]);
      else same.push(service);
    }
    this.all = [...this.#byKey.values()].sort((a, b) => byAge(a.config, b.config));
  }

  get(key: ServiceKey): Service | undefined {
    return this.#byKey.get(key);
  }

  /** Services of one host name in all namespaces: Kubernetes first, then oldest first. */
  named(hostname: string): readonly Service[] {
    return this.#byHostname.get(hostname) ?? [];
  }

  /** The service that clients of a namespace mean: their own, else Kubernetes, else the oldest (§7.9). */
  chosen(hostname: string, namespace: string): Service | undefined {
    const visible = this.named(hostname).filter((service) => isVisibleTo(service.visibility, namespace));
    return visible.find((service) => service.namespace === namespace) ?? visible[0];
  }
}

function kubernetesService(
  config: ConfigObject<"Service">,
  clusterDomain: string,
  exportDefault: readonly string[],
): Service {
  const { spec, name, namespace } = config;
  const hostname = serviceHostname(name, namespace, clusterDomain);
  const exportTo = config.metadata.annotations[EXPORT_ANNOTATION]?.split(",").map((entry) => entry.trim()) ?? [];
  const alias = spec.type === "ExternalName";
  return Object.freeze<Service>({
    key: serviceKey(namespace, hostname),
    hostname,
    name,
    namespace,
    registry: "kubernetes",
    ports: Object.freeze(
      spec.ports.map(({ name, port, targetPort, protocol, appProtocol }): ServicePort => {
        return { name, port, targetPort, protocol: selectProtocol({ name, port, transport: protocol, appProtocol }) };
      }),
    ),
    resolution: alias ? "alias" : spec.headless ? "passthrough" : "client-side-lb",
    addresses: spec.clusterIPs,
    meshExternal: false,
    headless: spec.headless,
    externalName: alias ? spec.externalName.toLowerCase() : "",
    ...(spec.selector === undefined ? {} : { selector: spec.selector }),
    subjectAltNames: [],
    publishNotReadyAddresses: spec.publishNotReadyAddresses,
    visibility: resolveVisibility(exportTo.filter(Boolean), namespace, exportDefault),
    config,
  });
}

/** One service per host; all hosts share ports and endpoints. */
function entryServices(config: ConfigObject<"ServiceEntry">, exportDefault: readonly string[]): Service[] {
  const { spec, namespace } = config;
  const ports = Object.freeze(
    spec.ports.map(({ name, number, targetPort, protocol }): ServicePort => {
      return { name, port: number, targetPort: targetPort ?? number, protocol: parseProtocol(protocol) };
    }),
  );
  const visibility = resolveVisibility(spec.exportTo, namespace, exportDefault);
  return [...new Set(spec.hosts.map((host) => host.toLowerCase()))].map((hostname) =>
    Object.freeze<Service>({
      key: serviceKey(namespace, hostname),
      hostname,
      name: hostname,
      namespace,
      registry: "service-entry",
      ports,
      resolution: RESOLUTIONS[spec.resolution],
      addresses: spec.addresses,
      meshExternal: spec.location === "MESH_EXTERNAL",
      headless: false,
      externalName: "",
      ...(spec.workloadSelector === undefined ? {} : { selector: spec.workloadSelector.labels }),
      subjectAltNames: spec.subjectAltNames,
      publishNotReadyAddresses: false,
      visibility,
      config,
    }),
  );
}
