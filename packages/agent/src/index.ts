export { createBootstrap, type SidecarAddresses } from "./bootstrap.ts";
export { BUILT_IN_EXTENSIONS, BUILT_IN_STATES } from "./built-in-extensions.ts";
export { type Json, nodeId, nodeMetadata, type WorkloadIdentity } from "./node-identity.ts";
export { type Agent, type AgentOptions, type CertificateSettings, runAgent } from "./run-agent.ts";
