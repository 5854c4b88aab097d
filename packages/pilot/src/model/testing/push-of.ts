import type { Kind } from "../../config/config-object.ts";
import { ConfigStore } from "../../config/config-store.ts";
import { formatFaults } from "../../config/fault.ts";
import { KINDS } from "../../config/kind-registry.ts";
import { readConfig } from "../../config/read-config.ts";
import { createPushContext, type PushContextOptions } from "../create-push-context.ts";
import { mergeLabels } from "../labels.ts";
import { UNKNOWN_LOCALITY } from "../locality.ts";
import type { ProxyNode } from "../proxy-node.ts";
import type { PushContext } from "../push-context.ts";

export type Manifest = Readonly<Record<string, unknown>>;

/** An object of a kind, in a namespace that stands before the slash of its name (`default` without one). */
export function object(kind: Kind, name: string, spec: Manifest, more: Manifest = {}): Manifest {
  const [first = "", second] = name.split("/");
  const { group, versions } = KINDS[kind];
  const metadata = { name: second ?? first, namespace: second === undefined ? "default" : first };
  return {
    apiVersion: [group, versions[0]].filter(Boolean).join("/"),
    kind,
    ...more,
    metadata: { ...metadata, ...(more.metadata as object | undefined) },
    spec,
  };
}

/** A Service of one HTTP port 9080 that selects `app: <name>`. */
export function service(name: string, spec: Manifest = {}, more: Manifest = {}): Manifest {
  const app = name.split("/").at(-1);
  return object("Service", name, { selector: { app }, ports: [{ name: "http", port: 9080 }], ...spec }, more);
}

/** A ready Pod labelled `app` and `version` after its name `<app>-<version>`. */
export function pod(name: string, ip: string, labels: Manifest = {}, more: Manifest = {}): Manifest {
  const [app, version] = (name.split("/").at(-1) ?? "").split("-");
  const spec = { containers: [{ name: "app", ports: [{ name: "web", containerPort: 9080 }] }] };
  const metadata = { labels: { app, version, ...labels }, ...(more.metadata as object | undefined) };
  return object("Pod", name, spec, { status: { podIP: ip }, ...more, metadata });
}

/** The push context of a configuration without faults; objects are aged in the order given. */
export function pushOf(objects: readonly Manifest[], options: PushContextOptions = {}): PushContext {
  const store = new ConfigStore();
  const text = objects.map((entry) => JSON.stringify(entry)).join("\n---\n");
  store.apply([{ reading: readConfig({ file: "test.yaml", text }) }]);
  const errors = store.faults().filter((fault) => fault.severity === "error");
  if (errors.length > 0) throw new Error(formatFaults(errors));
  return createPushContext(store.snapshot(), options);
}

/** A sidecar named `<namespace>/<pod>` as its node describes it. */
export function proxy(name: string, facts: Partial<ProxyNode> = {}): ProxyNode {
  const [first = "", second] = name.split("/");
  const [namespace, instance] = second === undefined ? ["default", first] : [first, second];
  return {
    id: `sidecar~127.0.0.1~${instance}.${namespace}~${namespace}.svc.cluster.local`,
    type: "sidecar",
    serviceCluster: "",
    ipAddresses: ["127.0.0.1"],
    name: instance,
    podKey: `${instance}.${namespace}`,
    namespace,
    dnsDomain: `${namespace}.svc.cluster.local`,
    labels: mergeLabels(),
    staticLabels: mergeLabels(),
    serviceAccount: "",
    network: "",
    clusterId: "Kubernetes",
    locality: UNKNOWN_LOCALITY,
    interceptionMode: "REDIRECT",
    istioVersion: "",
    userAgentName: "mixerless",
    metadata: {},
    ...facts,
  };
}
