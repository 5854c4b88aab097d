import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { CertificateSettings, SidecarAddresses, WorkloadIdentity } from "@mixerless/agent";
import type { TelemetryMode } from "@mixerless/pilot";
import type { SecretSettings } from "../commands/secrets.ts";
import { type AddressPlan, text, type WorkloadAddresses } from "./address-plan.ts";
import type { DemoIdentities } from "./identities.ts";
import type { ProcessSpec } from "./supervisor.ts";
import { GATEWAY, serviceAccountOf } from "./workloads.ts";

/** What a sidecar process is told, as JSON in `MIXERLESS_SIDECAR`. */
export interface SidecarSettings {
  readonly identity: WorkloadIdentity;
  readonly addresses: SidecarAddresses;
  readonly certificate?: CertificateSettings;
  /** Where the last good configuration is kept. */
  readonly stateFolder: string;
}

/** What a user may say about the control plane. */
export interface PilotChoices {
  readonly istioVersion: string;
  readonly telemetry: TelemetryMode;
}

const MAIN = fileURLToPath(new URL("../main.js", import.meta.url));

export function pilotProcess(
  plan: AddressPlan,
  paths: readonly string[],
  { istioVersion, telemetry }: PilotChoices,
  identities: DemoIdentities | null,
): ProcessSpec {
  const configs = paths.flatMap((path) => ["--config", path]);
  const addresses = ["--http", text(plan.pilotHttp), "--grpc", text(plan.pilotGrpc)];
  const authority =
    identities === null ? [] : ["--authority", identities.authority, "--secure-grpc", text(plan.pilotSecure)];
  return {
    name: "pilot",
    module: MAIN,
    arguments: ["pilot", ...configs, ...addresses, "--telemetry", telemetry, ...authority],
    environment: { ISTIO_VERSION: istioVersion },
    reports: true,
  };
}

/** The page that shows the mesh. */
export function consoleProcess(plan: AddressPlan): ProcessSpec {
  const addresses = ["--port", String(plan.console.port), "--pilot", `http://${text(plan.pilotHttp)}`];
  return { name: "console", module: MAIN, arguments: ["console", ...addresses], environment: {}, reports: true };
}

/** Who the sidecar of a workload is, and where it listens. */
export function sidecarSettings(
  plan: AddressPlan,
  entry: WorkloadAddresses,
  istioVersion: string,
  state: string,
  identities: DemoIdentities | null,
): SidecarSettings {
  const { workload } = entry;
  const isGateway = workload.name === GATEWAY;
  const discovery = identities === null ? plan.pilotGrpc : plan.pilotSecure;
  return {
    identity: {
      type: isGateway ? "router" : "sidecar",
      name: workload.name,
      namespace: workload.namespace,
      workload: workload.name,
      instanceIps: [entry.inbound.ip],
      labels: isGateway ? { app: GATEWAY, istio: "ingressgateway" } : { app: workload.app, version: workload.version },
      annotations: {},
      serviceAccount: serviceAccountOf(workload),
      clusterId: "Kubernetes",
      meshId: "cluster.local",
      istioVersion,
      domain: "cluster.local",
      interceptionMode: "NONE",
      owner: null,
      locality: { region: "", zone: "", subZone: "" },
    },
    addresses: {
      ip: entry.admin.ip,
      adminPort: entry.admin.port,
      prometheusPort: entry.prometheus.port,
      healthPort: entry.health.port,
      statusPort: entry.status.port,
      sourceIp: entry.sourceIp,
      discovery: { host: discovery.ip, port: discovery.port, secure: identities !== null },
    },
    ...(identities === null ? {} : { certificate: identities.settings(workload) }),
    stateFolder: join(state, workload.name),
  };
}

export function sidecarProcess(
  plan: AddressPlan,
  entry: WorkloadAddresses,
  istioVersion: string,
  state: string,
  identities: DemoIdentities | null,
): ProcessSpec {
  const settings = sidecarSettings(plan, entry, istioVersion, state, identities);
  return {
    ...(identities === null ? {} : { prepare: () => identities.writeToken(entry.workload) }),
    name: `sidecar ${entry.workload.name}`,
    module: MAIN,
    arguments: ["sidecar"],
    environment: {
      MIXERLESS_SIDECAR: JSON.stringify(settings),
      // The whole mesh stops at once; there is nobody left to drain for.
      TERMINATION_DRAIN_DURATION_SECONDS: process.env.TERMINATION_DRAIN_DURATION_SECONDS ?? "0",
    },
    reports: true,
  };
}

/** Gives an Envoy that somebody else runs the certificate of its workload. */
export function secretsProcess({ workload }: WorkloadAddresses, identities: DemoIdentities): ProcessSpec {
  const settings: SecretSettings = {
    workload: { namespace: workload.namespace, serviceAccount: serviceAccountOf(workload) },
    certificate: identities.settings(workload),
    socket: identities.secretSocket(workload),
  };
  return {
    prepare: () => identities.writeToken(workload),
    name: `secrets ${workload.name}`,
    module: MAIN,
    arguments: ["secrets"],
    environment: { MIXERLESS_SECRETS: JSON.stringify(settings) },
    reports: true,
  };
}

/** The application of a workload; null for the gateway. It calls its services where its sidecar listens for them. */
export function applicationProcess(entry: WorkloadAddresses): ProcessSpec | null {
  const { workload, application, egress } = entry;
  if (application === null) return null;
  const environment: Record<string, string> = {
    ...workload.environment,
    PORT: String(application.port),
    SERVICE_VERSION: workload.version,
    HOSTNAME: workload.name,
  };
  for (const [service, { ip, port }] of egress) {
    environment[`${service.toUpperCase()}_SERVICE_HOST`] = ip;
    environment[`${service.toUpperCase()}_SERVICE_PORT`] = String(port);
  }
  const module = fileURLToPath(import.meta.resolve(`@mixerless/bookinfo/${workload.app}`));
  return { name: `app ${workload.name}`, module, arguments: [], environment, reports: false };
}
