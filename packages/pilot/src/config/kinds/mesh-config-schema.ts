// MeshConfig (§4.10, §8.8, telemetry §4.7) with its defaults.
import { checkRollbackAfter, ROLLBACK_SWITCH } from "../rollback-after.ts";
import { Cursor } from "../schema/cursor.ts";
import { duration } from "../schema/duration.ts";
import { lists, maps, object, optional, withDefault } from "../schema/object.ts";
import {
  boolean,
  convert,
  describe,
  integer,
  isObject,
  jsonObject,
  list,
  nonEmpty,
  oneOf,
  type Reader,
  string,
  wrongType,
} from "../schema/reader.ts";
import { checkUnique, exportTo, port } from "../schema/shared-readers.ts";
import { tcpKeepalive } from "./connection-pool-schema.ts";
import { retries } from "./http-route-actions-schema.ts";
import { localityLbSetting } from "./load-balancer-schema.ts";
import type { DefaultProviders, ExtensionProvider, MeshConfigSpec, MeshProxyConfig } from "./mesh-config.ts";
import { outboundTrafficPolicy } from "./sidecar-schema.ts";

const PROVIDER_TYPES = [
  "prometheus",
  "stackdriver",
  "zipkin",
  "lightstep",
  "datadog",
  "skywalking",
  "opencensus",
  "opentelemetry",
  "envoyFileAccessLog",
  "envoyHttpAls",
  "envoyTcpAls",
  "envoyOtelAls",
  "envoyExtAuthzHttp",
  "envoyExtAuthzGrpc",
  "sds",
];

/** Providers that exist without being written; entries of the same name replace them. */
const BUILT_IN_PROVIDERS: readonly ExtensionProvider[] = [
  { name: "prometheus", type: "prometheus", settings: {} },
  { name: "stackdriver", type: "stackdriver", settings: {} },
  { name: "envoy", type: "envoyFileAccessLog", settings: { path: "/dev/stdout" } },
];

/** Bad providers are left out with a warning, as upstream does: one of them must not stop the mesh. */
const extensionProviders: Reader<readonly ExtensionProvider[]> = (value, at) => {
  const written = lists(jsonObject).reader(value, at);
  if (written === undefined) return undefined;
  const providers: ExtensionProvider[] = [];
  written.forEach((entry, index) => {
    const provider = readProvider(entry, at.at(index));
    if (provider !== undefined) providers.push(provider);
  });
  checkUnique(
    providers,
    (provider) => provider.name,
    (name) => at.warn("repeated-name", `The provider ${name} is defined twice; the last one counts.`, "Rename one."),
  );
  return Object.freeze(mergeProviders(providers));
};

function readProvider(entry: Readonly<Record<string, unknown>>, at: Cursor): ExtensionProvider | undefined {
  const types = PROVIDER_TYPES.filter((type) => isObject(entry[type]));
  const [type] = types;
  const { name } = entry;
  if (typeof name !== "string" || name === "") {
    at.warn("missing-field", "invalid extension provider: it has no name and is left out.", "Add name.");
    return undefined;
  }
  if (type === undefined || types.length > 1) {
    const message = `invalid extension provider ${name}: it has ${types.length} types and is left out.`;
    at.warn("bad-provider", message, `Set one of ${PROVIDER_TYPES.join(", ")}.`);
    return undefined;
  }
  const settings = isObject(entry[type]) ? entry[type] : {};
  const problem = providerProblem(settings);
  if (problem !== undefined) {
    at.at(type).warn("bad-provider", `invalid extension provider ${name}: ${problem} It is left out.`, "Correct it.");
    return undefined;
  }
  return Object.freeze({ name, type, settings });
}

function providerProblem(settings: Readonly<Record<string, unknown>>): string | undefined {
  const { service, port, http, grpc } = settings;
  if (service !== undefined && (typeof service !== "string" || service === "")) return "service is no host.";
  const badPort = typeof port !== "number" || !Number.isInteger(port) || port < 1 || port > 65535;
  if (service !== undefined && badPort) return `port ${describe(port)} is no port number.`;
  return http !== undefined && grpc !== undefined ? "http and grpc are set together." : undefined;
}

function mergeProviders(written: readonly ExtensionProvider[]): ExtensionProvider[] {
  const byName = new Map(BUILT_IN_PROVIDERS.map((provider) => [provider.name, provider]));
  for (const provider of written) byName.set(provider.name, provider);
  return [...byName.values()];
}

/** Metrics are on unless `metrics: []` says otherwise, as an installation of Istio has it (decision 2). */
const DEFAULT_METRICS: readonly string[] = Object.freeze(["prometheus"]);

const defaultProviders: Reader<DefaultProviders> = object({
  metrics: withDefault(list(nonEmpty), DEFAULT_METRICS),
  tracing: lists(nonEmpty),
  accessLogging: lists(nonEmpty),
});

const hostAndPort: Reader<string> = convert(string, (text, at) => {
  if (!/^.+:\d{1,5}$/.test(text)) at.error("bad-address", `${describe(text)} is not host:port.`, "Write host:port.");
  return text;
});

const writtenProxyConfig = object(
  {
    configPath: withDefault(nonEmpty, "./etc/istio/proxy"),
    binaryPath: withDefault(nonEmpty, "/usr/local/bin/envoy"),
    serviceCluster: withDefault(nonEmpty, "istio-proxy"),
    drainDuration: withDefault(duration({ wholeSeconds: true }), 45_000),
    terminationDrainDuration: withDefault(duration({ zero: true }), 5_000),
    discoveryAddress: withDefault(hostAndPort, "istiod.istio-system.svc:15012"),
    proxyAdminPort: withDefault(port, 15000),
    statusPort: withDefault(port, 15020),
    statNameLength: withDefault(integer({ min: 1 }), 189),
    concurrency: optional(integer({ min: 0 })),
    proxyMetadata: maps(string),
    interceptionMode: withDefault(oneOf("REDIRECT", "TPROXY", "NONE"), "REDIRECT"),
    extraStatTags: lists(nonEmpty),
    statsCompression: withDefault(boolean, true),
    holdApplicationUntilProxyStarts: withDefault(boolean, false),
  },
  { open: true },
);

const proxyConfig: Reader<MeshProxyConfig> = (value, at) => {
  if (!isObject(value)) return wrongType(at, "an object", value, "Write fields with their values.");
  const read = writtenProxyConfig(value, at);
  checkRollbackAfter(read?.proxyMetadata[ROLLBACK_SWITCH], at.at("proxyMetadata").at(ROLLBACK_SWITCH));
  return read === undefined ? undefined : Object.freeze({ ...read, raw: value });
};

const EVERYBODY: readonly string[] = Object.freeze(["*"]);

/** Fields that exist upstream and mean nothing to this control plane. */
const IGNORED = [
  "caCertificates",
  "certificates",
  "configSources",
  "discoverySelectors",
  "hboneIdleTimeout",
  "inboundHTTPTrafficPolicy",
  "ingressSelector",
  "meshNetworks",
  "serviceSettings",
  "serviceScopeConfigs",
  "thriftConfig",
  "tlsDefaults",
  "verifyCertificateAtClient",
];

const locality = withDefault(localityLbSetting, { enabled: true, distribute: [], failover: [], failoverPriority: [] });

const writtenMesh = object(
  {
    proxyListenPort: withDefault(port, 15001),
    proxyInboundListenPort: withDefault(port, 15006),
    proxyHttpPort: withDefault(integer({ min: 0, max: 65535 }), 0),
    connectTimeout: withDefault(duration({ max: 3_600_000 }), 10_000),
    tcpKeepalive: optional(tcpKeepalive),
    protocolDetectionTimeout: withDefault(duration({ zero: true }), 0),
    enableTracing: withDefault(boolean, true),
    accessLogFile: withDefault(string, ""),
    accessLogFormat: withDefault(string, ""),
    accessLogEncoding: withDefault(oneOf("TEXT", "JSON"), "TEXT"),
    enableEnvoyAccessLogService: withDefault(boolean, false),
    disableEnvoyListenerLog: withDefault(boolean, false),
    enablePrometheusMerge: withDefault(boolean, true),
    enableAutoMtls: withDefault(boolean, true),
    trustDomain: withDefault(nonEmpty, "cluster.local"),
    trustDomainAliases: lists(nonEmpty),
    rootNamespace: withDefault(nonEmpty, "istio-system"),
    outboundTrafficPolicy: withDefault(outboundTrafficPolicy, { mode: "ALLOW_ANY" }),
    inboundTrafficPolicy: withDefault(object({ mode: withDefault(oneOf("PASSTHROUGH", "LOCALHOST"), "PASSTHROUGH") }), {
      mode: "PASSTHROUGH",
    }),
    localityLbSetting: locality,
    defaultServiceExportTo: withDefault(exportTo, EVERYBODY),
    defaultVirtualServiceExportTo: withDefault(exportTo, EVERYBODY),
    defaultDestinationRuleExportTo: withDefault(exportTo, EVERYBODY),
    dnsRefreshRate: withDefault(duration(), 60_000),
    h2UpgradePolicy: withDefault(oneOf("DO_NOT_UPGRADE", "UPGRADE"), "DO_NOT_UPGRADE"),
    defaultHttpRetryPolicy: optional(retries),
    pathNormalization: optional(
      object({
        normalization: withDefault(
          oneOf("DEFAULT", "NONE", "BASE", "MERGE_SLASHES", "DECODE_AND_MERGE_SLASHES"),
          "DEFAULT",
        ),
      }),
    ),
    inboundClusterStatName: withDefault(string, ""),
    outboundClusterStatName: withDefault(string, ""),
    ingressClass: withDefault(string, "istio"),
    ingressService: withDefault(string, "istio-ingressgateway"),
    ingressControllerMode: withDefault(oneOf("UNSPECIFIED", "OFF", "DEFAULT", "STRICT"), "STRICT"),
    meshMTLS: optional(
      object({
        minProtocolVersion: withDefault(oneOf("TLS_AUTO", "TLSV1_2", "TLSV1_3"), "TLS_AUTO"),
        ecdhCurves: lists(string),
        cipherSuites: lists(string),
      }),
    ),
    extensionProviders: withDefault(extensionProviders, BUILT_IN_PROVIDERS),
    defaultProviders: withDefault(defaultProviders, { metrics: DEFAULT_METRICS, tracing: [], accessLogging: [] }),
    defaultConfig: optional(proxyConfig),
  },
  { ignored: IGNORED },
);

export const meshConfig: Reader<MeshConfigSpec> = convert(writtenMesh, (written, at) => {
  const { pathNormalization, meshMTLS, defaultConfig, ...mesh } = written;
  if (meshMTLS !== undefined && meshMTLS.ecdhCurves.length > 0) {
    at.at("meshMTLS")
      .at("ecdhCurves")
      .error("unsupported", "The curves of mesh mTLS can't be chosen.", "Remove ecdhCurves.");
  }
  const proxy = defaultConfig ?? proxyConfig({}, at);
  if (proxy === undefined) return undefined;
  return Object.freeze({
    ...mesh,
    pathNormalization: pathNormalization?.normalization ?? "DEFAULT",
    meshMTLS: { minProtocolVersion: meshMTLS?.minProtocolVersion ?? "TLS_AUTO" },
    defaultConfig: proxy,
  });
});

/** The mesh configuration of a mesh that has none written down. */
export function defaultMeshConfig(): MeshConfigSpec {
  const nowhere = { object: "MeshConfig", namespace: "", locate: () => ({ file: "", line: 0, column: 0 }) };
  const mesh = meshConfig({}, Cursor.root(nowhere));
  if (mesh === undefined) throw new Error("the defaults of MeshConfig are incomplete");
  return mesh;
}
