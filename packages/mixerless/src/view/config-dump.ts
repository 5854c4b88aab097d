import { at, listAt, textAt } from "./json.ts";

/** The sections of Envoy's `/config_dump` that commands look into. */
export class ConfigDump {
  readonly raw: unknown;

  constructor(raw: unknown) {
    this.raw = raw;
  }

  section(name: string): unknown {
    return listAt(this.raw, "configs").find((entry) => textAt(entry, "@type").endsWith(`.${name}`));
  }

  get bootstrap(): unknown {
    return at(this.section("BootstrapConfigDump"), "bootstrap");
  }

  get clusters(): unknown[] {
    const section = this.section("ClustersConfigDump");
    return ["dynamic_active_clusters", "static_clusters"].flatMap((list) =>
      listAt(section, list).map((entry) => at(entry, "cluster")),
    );
  }

  get listeners(): unknown[] {
    const section = this.section("ListenersConfigDump");
    return [
      ...listAt(section, "dynamic_listeners")
        .map((entry) => at(entry, "active_state", "listener"))
        .filter((listener) => listener !== undefined),
      ...listAt(section, "static_listeners").map((entry) => at(entry, "listener")),
    ];
  }

  /** Received ones first, then those written into listeners. */
  get routes(): unknown[] {
    const section = this.section("RoutesConfigDump");
    const received = listAt(section, "dynamic_route_configs").map((entry) => at(entry, "route_config"));
    const dumped = listAt(section, "static_route_configs").map((entry) => at(entry, "route_config"));
    return [...received, ...(dumped.length > 0 ? dumped : this.#inlineRoutes())];
  }

  get endpoints(): unknown[] {
    const section = this.section("EndpointsConfigDump");
    return ["dynamic_endpoint_configs", "static_endpoint_configs"].flatMap((list) =>
      listAt(section, list).map((entry) => at(entry, "endpoint_config")),
    );
  }

  #inlineRoutes(): unknown[] {
    return this.listeners
      .flatMap(chainsOf)
      .flatMap((chain) => listAt(chain, "filters"))
      .map((filter) => at(filter, "typed_config", "route_config"))
      .filter((config) => config !== undefined);
  }
}

/** Filter chains of a listener, the default one last. */
export function chainsOf(listener: unknown): unknown[] {
  const last = at(listener, "default_filter_chain");
  return [...listAt(listener, "filter_chains"), ...(last === undefined ? [] : [last])];
}

/** `reviews.default` of `/apis/networking.istio.io/v1/namespaces/default/virtual-service/reviews`. */
export function configName(element: unknown): string {
  const path = textAt(element, "metadata", "filter_metadata", "istio", "config");
  const match = /\/namespaces\/([^/]+)\/[^/]+\/([^/]+)$/.exec(path);
  return match === null ? "" : `${match[2]}.${match[1]}`;
}
