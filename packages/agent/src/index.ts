export { createBootstrap, type SidecarAddresses } from "./bootstrap.ts";
export {
  BUILT_IN_MODULES,
  BUILT_IN_STATES,
  type BuiltInExtensions,
  createBuiltInExtensions,
} from "./built-in-extensions.ts";
export type { CertificateSettings } from "./identity/certificate-settings.ts";
export { CERTIFICATE_FILES } from "./identity/file-certificate.ts";
export { runSecretAgent, type SecretAgent, type SecretAgentOptions } from "./identity/run-secret-agent.ts";
export { createModuleCache } from "./modules/create-module-cache.ts";
export { type Json, nodeId, nodeMetadata, type WorkloadIdentity } from "./node-identity.ts";
export { type Agent, type AgentOptions, runAgent } from "./run-agent.ts";
