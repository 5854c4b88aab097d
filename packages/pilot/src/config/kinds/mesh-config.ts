import type { JsonObject, Milliseconds } from "./common.ts";
import type { LocalityLbSetting, TcpKeepalive } from "./destination-rule.ts";
import type { OutboundTrafficPolicy } from "./sidecar.ts";
import type { HttpRetry } from "./virtual-service.ts";

/** The mesh configuration with every default filled in. */
export interface MeshConfigSpec {
  readonly proxyListenPort: number;
  readonly proxyInboundListenPort: number;
  /** 0: no HTTP proxy listener. */
  readonly proxyHttpPort: number;
  readonly connectTimeout: Milliseconds;
  readonly tcpKeepalive?: TcpKeepalive;
  /** 0: wait for ever. */
  readonly protocolDetectionTimeout: Milliseconds;
  readonly enableTracing: boolean;
  /** Empty: no access log by this setting. */
  readonly accessLogFile: string;
  readonly accessLogFormat: string;
  readonly accessLogEncoding: "TEXT" | "JSON";
  readonly enableEnvoyAccessLogService: boolean;
  readonly disableEnvoyListenerLog: boolean;
  readonly enablePrometheusMerge: boolean;
  readonly enableAutoMtls: boolean;
  readonly trustDomain: string;
  readonly trustDomainAliases: readonly string[];
  readonly rootNamespace: string;
  readonly outboundTrafficPolicy: OutboundTrafficPolicy;
  readonly inboundTrafficPolicy: { readonly mode: "PASSTHROUGH" | "LOCALHOST" };
  readonly localityLbSetting: LocalityLbSetting;
  readonly defaultServiceExportTo: readonly string[];
  readonly defaultVirtualServiceExportTo: readonly string[];
  readonly defaultDestinationRuleExportTo: readonly string[];
  readonly dnsRefreshRate: Milliseconds;
  readonly h2UpgradePolicy: "DO_NOT_UPGRADE" | "UPGRADE";
  readonly defaultHttpRetryPolicy?: HttpRetry;
  readonly pathNormalization: PathNormalization;
  /** Empty: the cluster's own name. Patterns with `%SERVICE%` and the like. */
  readonly inboundClusterStatName: string;
  readonly outboundClusterStatName: string;
  readonly ingressClass: string;
  readonly ingressService: string;
  readonly ingressControllerMode: "UNSPECIFIED" | "OFF" | "DEFAULT" | "STRICT";
  readonly meshMTLS: { readonly minProtocolVersion: "TLS_AUTO" | "TLSV1_2" | "TLSV1_3" };
  readonly extensionProviders: readonly ExtensionProvider[];
  readonly defaultProviders: DefaultProviders;
  readonly defaultConfig: MeshProxyConfig;
}

export type PathNormalization = "DEFAULT" | "NONE" | "BASE" | "MERGE_SLASHES" | "DECODE_AND_MERGE_SLASHES";

export interface DefaultProviders {
  readonly metrics: readonly string[];
  readonly tracing: readonly string[];
  readonly accessLogging: readonly string[];
}

/** One of the provider types of telemetry §4.7; `settings` is what stands under its key, as written. */
export interface ExtensionProvider {
  readonly name: string;
  /** The key, such as `prometheus`, `envoyFileAccessLog`, `opentelemetry`, `envoyExtAuthzGrpc`. */
  readonly type: string;
  readonly settings: JsonObject;
}

/** `defaultConfig`: what each proxy starts with. Fields that only a bootstrap reads stay in `raw`. */
export interface MeshProxyConfig {
  readonly configPath: string;
  readonly binaryPath: string;
  readonly serviceCluster: string;
  readonly drainDuration: Milliseconds;
  readonly terminationDrainDuration: Milliseconds;
  readonly discoveryAddress: string;
  readonly proxyAdminPort: number;
  readonly statusPort: number;
  readonly statNameLength: number;
  /** Absent: the CPU limit decides. */
  readonly concurrency?: number;
  readonly proxyMetadata: Readonly<Record<string, string>>;
  readonly interceptionMode: "REDIRECT" | "TPROXY" | "NONE";
  readonly extraStatTags: readonly string[];
  readonly statsCompression: boolean;
  readonly holdApplicationUntilProxyStarts: boolean;
  readonly raw: JsonObject;
}
