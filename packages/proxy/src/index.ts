export { BootstrapError } from "./config/apply-static.ts";
export { decodeBootstrap } from "./config/decode-bootstrap.ts";
export type { ExtensionFactory, ExtensionTable } from "./extension-host/extension.ts";
export type { ConfigFault } from "./network/config-fault.ts";
export { createProxy, type DataPlane, type Proxy, type ProxyOptions, type SeriesSource } from "./proxy.ts";
export { type KeyPair, type SecretSource, SecretStore, type TrustedRoots } from "./tls/secret-store.ts";
export { clusterWorkers, connectToPrimary } from "./workers/cluster-workers.ts";
export { createProxyGroup, type WorkerSettings } from "./workers/proxy-group.ts";
export { Worker } from "./workers/run-worker.ts";
