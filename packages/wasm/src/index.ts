export { HttpContext } from "./contexts/http-context.ts";
export { FAILED_REPLY } from "./contexts/stream-context.ts";
export { TcpContext } from "./contexts/tcp-context.ts";
export { Double, descend, encodeProperty, type PropertyValue } from "./encoding/property-value.ts";
export {
  BodyResult,
  BufferType,
  FlowResult,
  HeaderMapType,
  HeadersResult,
  MetricKind,
  PeerType,
  Status,
  StreamType,
} from "./hostcalls/status.ts";
export { DEFAULT_LIMITS, type LimitName, resolveLimits, type WasmLimits } from "./limits/limits.ts";
export {
  type MetricName,
  type MetricTable,
  type PluginMetric,
  splitMetricName,
  type TagExtractor,
} from "./measure/plugin-metrics.ts";
export { ENV_FUNCTIONS, WASI_FUNCTIONS } from "./module/host-functions.ts";
export { isFault, type LoadedModule, type LoadFault, type LoadFaultCode, loadModule } from "./module/load-module.ts";
export { ownMappings } from "./module/own-mappings.ts";
export { type ModuleImport, parseModule } from "./module/parse-module.ts";
export { decodeMappings, encodeMappings, type Mapping } from "./module/source-map.ts";
export { embedSourceMap } from "./module/source-positions.ts";
export {
  type EnvironmentRequest,
  type FailurePolicy,
  type PluginConfig,
  pluginConfig,
  resolveEnvironment,
} from "./plugin/config.ts";
export type { Deployment, DeploymentStatus, DeployOutcome } from "./plugin/deployment.ts";
export { type CodeSource, type EnvoyPlugin, readEnvoyPlugin } from "./plugin/envoy-config.ts";
export { WasmHost, type WasmHostOptions } from "./plugin/host.ts";
export type { ShapeFault } from "./plugin/json-reader.ts";
export type { NoContext, Plugin, PluginState, PluginStatus } from "./plugin/plugin.ts";
export { describeFailure, type FailureKind, type VmFailure } from "./vm/failure.ts";
export type * from "./vm/services.ts";
export type {
  HeaderFields,
  HeaderKey,
  HttpStreamHost,
  LocalReply,
  LoggedStream,
  StateSpan,
  StreamFacts,
  TcpStreamHost,
} from "./vm/stream-host.ts";
