export { Evaluation, type VerificationObserver, type VerifiedToken } from "./evaluation.ts";
export { fixedKeys, type KeySource } from "./key-source.ts";
export { compileProvider, type Provider, type ProviderContext } from "./provider.ts";
export { compileRequirement, type Providers, type Requirement } from "./requirement.ts";
export { type TokenRequest, withoutParam } from "./token-locations.ts";
export { headersOf, JWT_METADATA, metadataOf } from "./verified-output.ts";
