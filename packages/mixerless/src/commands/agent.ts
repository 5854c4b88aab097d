import { access } from "node:fs/promises";
import { isIP } from "node:net";
import { join } from "node:path";
import { CERTIFICATE_FILES, type CertificateSettings, runAgent, type WorkloadIdentity } from "@mixerless/agent";
import { SystemClock } from "@mixerless/clock";
import { type Command, InvalidArgumentError, Option } from "commander";
import { reportReady } from "../child-process.ts";
import { CONCURRENCY_HELP, concurrency, workersOf } from "../concurrency.ts";
import { CommandError } from "../mesh/command-error.ts";
import { findPilot } from "../mesh/find-pilot.ts";
import { PilotClient } from "../mesh/pilot-client.ts";
import { stateFolder } from "../mesh/state-file.ts";
import { SidecarEnd } from "../sidecar-end.ts";
import { ISTIO_VERSION, VERSION } from "../version.ts";
import { duration, port } from "./arguments.ts";
import { label } from "./labels.ts";

export function addAgent(program: Command): void {
  program
    .command("agent")
    .description("run one sidecar or gateway for a workload that the configuration knows")
    .addOption(new Option("--name <name>", "name of the Pod or WorkloadEntry").env("POD_NAME").makeOptionMandatory())
    .addOption(new Option("--namespace <namespace>", "its namespace").env("POD_NAMESPACE").default("default"))
    .option("--workload <name>", "name of the workload (default: --name)")
    .addOption(new Option("--type <type>", "kind of proxy").choices(["sidecar", "router"]).default("sidecar"))
    .addOption(
      new Option("--ip <address>", "address of the workload, of the sidecar's ports and of its upstream connections")
        .env("INSTANCE_IP")
        .argParser(ip)
        .default("127.0.0.1"),
    )
    .option("--label <key=value>", "a label of the workload; repeatable", label, {})
    .addOption(new Option("--service-account <name>", "service account").env("SERVICE_ACCOUNT").default("default"))
    .addOption(
      new Option("--interception-mode <mode>", "how traffic comes to the proxy")
        .choices(["NONE", "REDIRECT", "TPROXY"])
        .default("NONE"),
    )
    .option("--xds <host:port>", "control plane's xDS (default: that of the mesh that runs here)")
    .option("--pilot <url>", "control plane's pages, where --xds is not given")
    .option("--root-file <path>", "PEM of the mesh's roots: talk to the control plane by TLS, and get a certificate")
    .option("--token-file <path>", "join token for the first certificate, in a file of mode 0600")
    .option(
      "--certificate-files <folder>",
      "a certificate that somebody else renews: cert-chain.pem, key.pem, root-cert.pem; replaced files are taken over",
    )
    .option("--ca <host:port>", "certificate service (default: the address of xDS)")
    .addOption(
      new Option("--certificate-lifetime <time>", "how long a certificate is to live (default: as the authority says)")
        .env("SECRET_TTL")
        .argParser(duration),
    )
    .option("--admin-port <port>", "admin", port, 15000)
    .option("--status-port <port>", "merged metrics, health", port, 15020)
    .option("--health-port <port>", "health behind the proxy", port, 15021)
    .option("--prometheus-port <port>", "the proxy's series", port, 15090)
    .addOption(
      new Option(
        "--state <folder>",
        "where the last good configuration is kept, without secrets (default: the user's state folder)",
      ).env("MIXERLESS_STATE"),
    )
    .option("--no-state", "keep nothing on disk")
    .option("--app-metrics <port[:path],...>", "where the application has series, for the merged ones at --status-port")
    .option("--cluster-id <name>", "cluster", "Kubernetes")
    .option("--concurrency <number>", CONCURRENCY_HELP, concurrency, 1)
    .option("--istio-version <version>", "ISTIO_VERSION of the proxy", ISTIO_VERSION)
    .addHelpText(
      "after",
      `
Environment variables ISTIO_META_<KEY> (text) and ISTIO_METAJSON_<KEY> (a JSON object) add to the node's metadata
and win over the flags. ISTIO_PROMETHEUS_ANNOTATIONS and ISTIO_KUBE_APP_PROBERS are those of an injected pod. With
MIXERLESS_ADMIN_TOKEN, requests from beyond loopback that carry that token may change something.

As Istio's agent, it takes the certificate in ./etc/certs if there is one, or waits for it with FILE_MOUNTED_CERTS=true.

SIGTERM drains before it stops: for TERMINATION_DRAIN_DURATION_SECONDS (5), or with EXIT_ON_ZERO_ACTIVE_CONNECTIONS=true
until no connection is open, MINIMUM_DRAIN_DURATION (5s) at least. The same signal again stops at once.

Examples:
  mixerless agent --name web-v1 --ip 127.0.0.5 --label app=web --label version=v1 --xds 127.0.0.1:15010
  mixerless agent --name web-v1 --ip 10.0.0.5 --xds pilot:15012 --root-file roots.pem --token-file token
  ISTIO_META_CLUSTER_ID=east mixerless agent --type router --name ingress --namespace istio-system --label istio=ingressgateway`,
    )
    .action(async (flags: AgentFlags) => {
      const certificateFolder = await certificateFiles(flags);
      const secure = flags.rootFile !== undefined || certificateFolder !== undefined;
      const discovery = { ...(await discoveryAddress(flags, secure)), secure };
      const end = new SidecarEnd();
      const agent = await runAgent({
        identity: identity(flags),
        addresses: {
          ip: flags.ip,
          adminPort: flags.adminPort,
          prometheusPort: flags.prometheusPort,
          healthPort: flags.healthPort,
          statusPort: flags.statusPort,
          sourceIp: flags.ip === "127.0.0.1" ? null : flags.ip,
          discovery,
        },
        environment: process.env,
        certificate: certificateSettings(flags, discovery),
        certificateFolder,
        clock: new SystemClock(),
        log: (message) => process.stderr.write(`${message}\n`),
        version: VERSION,
        workers: workersOf(flags.concurrency),
        onStop: end.stop,
        onQuit: end.quit,
        ...keptIn(flags),
      });
      end.attach(agent);
      await agent.whenReady;
      process.stderr.write(`${flags.name}.${flags.namespace} serves; admin http://${flags.ip}:${flags.adminPort}.\n`);
      reportReady();
    });
}

interface AgentFlags {
  readonly name: string;
  readonly namespace: string;
  readonly workload?: string;
  readonly type: WorkloadIdentity["type"];
  readonly ip: string;
  readonly label: Readonly<Record<string, string>>;
  readonly serviceAccount: string;
  readonly interceptionMode: WorkloadIdentity["interceptionMode"];
  readonly xds?: string;
  readonly pilot?: string;
  readonly rootFile?: string;
  readonly tokenFile?: string;
  readonly certificateFiles?: string;
  readonly ca?: string;
  readonly certificateLifetime?: number;
  readonly adminPort: number;
  readonly statusPort: number;
  readonly healthPort: number;
  readonly prometheusPort: number;
  /** False keeps nothing. */
  readonly state?: string | false;
  readonly appMetrics?: string;
  readonly clusterId: string;
  readonly istioVersion: string;
  readonly concurrency: number;
}

/** A folder of its own for each proxy: they must not overwrite each other's configuration. */
function keptIn({ state, name, namespace, ip: address }: AgentFlags): { stateFolder?: string } {
  if (state === false) return {};
  if (typeof state === "string") return { stateFolder: state };
  const own = `${encodeURIComponent(name)}.${encodeURIComponent(namespace)}_${address}`;
  return { stateFolder: join(stateFolder(process.env), "sidecars", own) };
}

function identity(flags: AgentFlags): WorkloadIdentity {
  const { name, namespace, type, ip: address, label: labels } = flags;
  return {
    ...{ name, namespace, type, labels },
    workload: flags.workload ?? name,
    instanceIps: [address],
    annotations: flags.appMetrics === undefined ? {} : { "prometheus.istio.io/scrape-targets": flags.appMetrics },
    serviceAccount: flags.serviceAccount,
    clusterId: flags.clusterId,
    meshId: "cluster.local",
    istioVersion: flags.istioVersion,
    domain: "cluster.local",
    interceptionMode: flags.interceptionMode,
    owner: null,
    locality: { region: "", zone: "", subZone: "" },
  };
}

/** Istio's place for certificates that are mounted as files [control-plane §6.6]. */
const MOUNTED = "./etc/certs";

/** Undefined: the certificate is none of files. */
async function certificateFiles({ certificateFiles: folder }: AgentFlags): Promise<string | undefined> {
  if (folder !== undefined) return folder;
  if (process.env.FILE_MOUNTED_CERTS === "true") return MOUNTED;
  const there = CERTIFICATE_FILES.map((name) => access(join(MOUNTED, name)));
  return Promise.all(there).then(
    () => MOUNTED,
    () => undefined,
  );
}

/** Undefined: no identity, everything in clear. */
function certificateSettings(
  { rootFile, tokenFile, ca, certificateLifetime }: AgentFlags,
  { host, port: number }: { readonly host: string; readonly port: number },
): CertificateSettings | undefined {
  if (rootFile === undefined && tokenFile === undefined) return undefined;
  if (rootFile === undefined || tokenFile === undefined)
    throw new CommandError("--root-file and --token-file belong together. Give both, or neither.", 2);
  const authority = ca ?? `${host.includes(":") ? `[${host}]` : host}:${number}`;
  return { authority, rootFile, token: tokenFile, lifetime: certificateLifetime ?? 0 };
}

async function discoveryAddress({ xds, pilot }: AgentFlags, secure: boolean): Promise<{ host: string; port: number }> {
  if (xds === undefined) return new PilotClient(await findPilot(pilot, process.env)).xdsAddress(secure);
  const match = /^\[?([^\]]+)\]?:(\d{1,5})$/.exec(xds);
  if (match === null) throw new CommandError(`--xds "${xds}" is not of the form host:port.`, 2);
  return { host: match[1] ?? "", port: Number(match[2]) };
}

function ip(text: string): string {
  if (isIP(text) === 0) throw new InvalidArgumentError("Give an IP address.");
  return text;
}
