import type { ConfigObject } from "../config/config-object.ts";

/** Istio's way to name an object in metadata: `/apis/networking.istio.io/v1/namespaces/<ns>/virtual-service/<name>`. */
export function configReference(config: ConfigObject): string {
  const kind = config.kind.replace(/(?<=[a-z])([A-Z])/g, "-$1").toLowerCase();
  return `/apis/${config.apiVersion}/namespaces/${config.namespace}/${kind}/${config.name}`;
}
