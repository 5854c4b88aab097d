export { BootstrapError } from "./config/apply-static.ts";
export { decodeBootstrap } from "./config/decode-bootstrap.ts";
export type { ExtensionFactory, ExtensionTable } from "./extension-host/extension.ts";
export type { ConfigFault } from "./network/config-fault.ts";
export { createProxy, type Proxy, type ProxyOptions } from "./proxy.ts";
export { type KeyPair, type SecretSource, SecretStore, type TrustedRoots } from "./tls/secret-store.ts";
