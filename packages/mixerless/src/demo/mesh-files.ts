import { stringify } from "yaml";
import { type AddressPlan, text, type WorkloadAddresses } from "./address-plan.ts";
import { type AuthzChoice, authorizationPolicies } from "./authorization-files.ts";
import { TRUST_DOMAIN } from "./identities.ts";
import { type PluginFile, wasmPlugin } from "./plugin-files.ts";
import { GATEWAY, hasApplication, SERVICES, serviceAccountOf } from "./workloads.ts";

export type ReviewsChoice = "v1" | "v2" | "v3" | "all";

/** How the workloads talk to one another: in clear, by TLS where both can, or by TLS only. */
export type MtlsChoice = "off" | "permissive" | "strict";

const PEER_MODES: Readonly<Record<MtlsChoice, string>> = {
  off: "DISABLE",
  permissive: "PERMISSIVE",
  strict: "STRICT",
};

export interface MeshChoices {
  readonly reviews: ReviewsChoice;
  readonly mtls: MtlsChoice;
  readonly authz: AuthzChoice;
  /** Plugins on all workloads, in the order in which requests meet them. */
  readonly plugins: readonly PluginFile[];
}

interface MeshFile {
  readonly name: string;
  readonly content: string;
}

const PORT = 9080;
const NETWORKING = "networking.istio.io/v1";

/** The demo's configuration as Istio resources, one file for each concern. */
export function meshFiles(plan: AddressPlan, { reviews, mtls, authz, plugins }: MeshChoices): MeshFile[] {
  const applications = plan.workloads.filter(({ workload }) => hasApplication(workload));
  const gateway = plan.workloads.find(({ workload }) => workload.name === GATEWAY);
  const files = [
    file("mesh.yaml", "Metrics for Prometheus in every proxy.", [meshConfig()]),
    file("peer-authentication.yaml", "Whether workloads take requests in clear, by TLS, or both.", [
      peerAuthentication(mtls),
    ]),
    file(
      "services.yaml",
      "The services of Bookinfo.",
      SERVICES.map(({ name }) => service(name, plan)),
    ),
    file(
      "workloads.yaml",
      "Where each workload's sidecar takes requests.",
      applications.map((entry) => workloadEntry(entry, plan, mtls)),
    ),
    file(
      "sidecars.yaml",
      "Without traffic capture every listener has an address of its own.",
      applications.map(sidecar),
    ),
    file("destination-rules.yaml", "Versions as subsets.", SERVICES.map(destinationRule)),
    file("bookinfo-gateway.yaml", "The way in, and the pages that it shows.", [
      ...(gateway === undefined ? [] : [ingress(gateway)]),
      bookinfoRoutes(),
    ]),
  ];
  if (authz === "bookinfo")
    files.push(
      file("authorization.yaml", "Each workload may do what Bookinfo needs.", authorizationPolicies(TRUST_DOMAIN)),
    );
  if (reviews !== "all")
    files.push(file("reviews.yaml", "Every request for reviews goes to one version.", [reviewsRoute(reviews)]));
  if (plugins.length > 0) files.push(file("plugins.yaml", "Plugins on all workloads.", plugins.map(wasmPlugin)));
  return files;
}

function file(name: string, comment: string, documents: readonly object[]): MeshFile {
  return { name, content: `# ${comment}\n${documents.map((document) => stringify(document)).join("---\n")}` };
}

function meshConfig(): object {
  const spec = { defaultProviders: { metrics: ["prometheus"] }, outboundTrafficPolicy: { mode: "ALLOW_ANY" } };
  return { kind: "MeshConfig", metadata: { name: "mesh" }, spec };
}

function peerAuthentication(mtls: MtlsChoice): object {
  return {
    apiVersion: "security.istio.io/v1",
    kind: "PeerAuthentication",
    metadata: { name: "default", namespace: "istio-system" },
    spec: { mtls: { mode: PEER_MODES[mtls] } },
  };
}

function service(name: string, plan: AddressPlan): object {
  const ports = [
    { name: "http", port: PORT, targetPort: PORT },
    ...callerPorts(name, plan).map(([port, number]) => ({ name: port, port: number, targetPort: PORT })),
  ];
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name, namespace: "default", labels: { app: name } },
    spec: { selector: { app: name }, ports },
  };
}

/**
 * An egress listener serves a port only when the service has it. Where all listeners share one address
 * their numbers differ from the service's, so the service gets them as further ports.
 */
function callerPorts(service: string, plan: AddressPlan): [name: string, port: number][] {
  if (plan.loopback === "many") return [];
  return plan.workloads.flatMap(({ workload, egress }): [string, number][] => {
    const endpoint = egress.get(service);
    return endpoint === undefined ? [] : [[`http-for-${workload.name}`, endpoint.port]];
  });
}

function workloadEntry({ workload, inbound }: WorkloadAddresses, plan: AddressPlan, mtls: MtlsChoice): object {
  // By this label clients know that there is a sidecar that takes TLS.
  const tlsMode = mtls === "off" ? {} : { "security.istio.io/tlsMode": "istio" };
  const ports = Object.fromEntries([
    ["http", inbound.port],
    ...callerPorts(workload.app, plan).map(([name]) => [name, inbound.port]),
  ]);
  return {
    apiVersion: NETWORKING,
    kind: "WorkloadEntry",
    metadata: { name: workload.name, namespace: workload.namespace, labels: { ...labels(workload), ...tlsMode } },
    spec: { address: inbound.ip, ports, labels: labels(workload), serviceAccount: serviceAccountOf(workload) },
  };
}

function labels({ app, version }: WorkloadAddresses["workload"]): Record<string, string> {
  return { app, version };
}

function sidecar({ workload, inbound, application, egress }: WorkloadAddresses): object {
  const listeners = [...egress].map(([service, { ip, port }]) => ({
    port: { number: port, protocol: "HTTP", name: `http-${service}` },
    bind: ip,
    captureMode: "NONE",
    hosts: [`default/${service}.default.svc.cluster.local`],
  }));
  return {
    apiVersion: NETWORKING,
    kind: "Sidecar",
    metadata: { name: workload.name, namespace: workload.namespace },
    spec: {
      workloadSelector: { labels: labels(workload) },
      ingress: [
        {
          port: { number: inbound.port, protocol: "HTTP", name: "http" },
          bind: inbound.ip,
          captureMode: "NONE",
          defaultEndpoint: application === null ? "" : text(application),
        },
      ],
      egress: listeners.length > 0 ? listeners : [{ hosts: ["~/*"] }],
    },
  };
}

function destinationRule({ name, versions }: { name: string; versions: readonly string[] }): object {
  return {
    apiVersion: NETWORKING,
    kind: "DestinationRule",
    metadata: { name, namespace: "default" },
    spec: { host: name, subsets: versions.map((version) => ({ name: version, labels: { version } })) },
  };
}

function ingress({ inbound }: WorkloadAddresses): object {
  return {
    apiVersion: NETWORKING,
    kind: "Gateway",
    metadata: { name: "bookinfo-gateway", namespace: "default" },
    spec: {
      selector: { istio: "ingressgateway" },
      servers: [{ port: { number: inbound.port, name: "http", protocol: "HTTP" }, bind: inbound.ip, hosts: ["*"] }],
    },
  };
}

function bookinfoRoutes(): object {
  const match = [
    { uri: { exact: "/productpage" } },
    { uri: { prefix: "/static" } },
    { uri: { exact: "/login" } },
    { uri: { exact: "/logout" } },
    { uri: { prefix: "/api/v1/products" } },
  ];
  return {
    apiVersion: NETWORKING,
    kind: "VirtualService",
    metadata: { name: "bookinfo", namespace: "default" },
    spec: {
      hosts: ["*"],
      gateways: ["bookinfo-gateway"],
      http: [{ match, route: [{ destination: { host: "productpage", port: { number: PORT } } }] }],
    },
  };
}

function reviewsRoute(version: string): object {
  return {
    apiVersion: NETWORKING,
    kind: "VirtualService",
    metadata: { name: "reviews", namespace: "default" },
    spec: { hosts: ["reviews"], http: [{ route: [{ destination: { host: "reviews", subset: version } }] }] },
  };
}
