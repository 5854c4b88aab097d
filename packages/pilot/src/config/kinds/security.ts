import type { Milliseconds } from "./common.ts";
import type { Attachment } from "./policies.ts";

/** security.istio.io AuthorizationPolicy. */
export interface AuthorizationPolicySpec extends Attachment {
  readonly action: "ALLOW" | "DENY" | "AUDIT" | "CUSTOM";
  /** CUSTOM only. */
  readonly provider?: string;
  /** No rules: an ALLOW policy that nothing matches. */
  readonly rules: readonly AuthorizationRule[];
}

export interface AuthorizationRule {
  readonly from: readonly AuthorizationSource[];
  readonly to: readonly AuthorizationOperation[];
  readonly when: readonly AuthorizationCondition[];
}

/** Field names as in the API; an empty list says nothing about its field. */
export type AuthorizationSource = Readonly<Record<SourceField, readonly string[]>>;
export type AuthorizationOperation = Readonly<Record<OperationField, readonly string[]>>;

export type SourceField =
  | "principals"
  | "notPrincipals"
  | "requestPrincipals"
  | "notRequestPrincipals"
  | "namespaces"
  | "notNamespaces"
  | "serviceAccounts"
  | "notServiceAccounts"
  | "trustDomains"
  | "notTrustDomains"
  | "ipBlocks"
  | "notIpBlocks"
  | "remoteIpBlocks"
  | "notRemoteIpBlocks";

export type OperationField =
  | "hosts"
  | "notHosts"
  | "ports"
  | "notPorts"
  | "methods"
  | "notMethods"
  | "paths"
  | "notPaths";

export interface AuthorizationCondition {
  readonly key: string;
  readonly values: readonly string[];
  readonly notValues: readonly string[];
}

/** security.istio.io RequestAuthentication. */
export interface RequestAuthenticationSpec extends Attachment {
  readonly jwtRules: readonly JwtRule[];
}

export interface JwtRule {
  readonly issuer: string;
  readonly audiences: readonly string[];
  readonly jwksUri: string;
  readonly jwks: string;
  readonly fromHeaders: readonly { readonly name: string; readonly prefix: string }[];
  readonly fromParams: readonly string[];
  readonly fromCookies: readonly string[];
  readonly outputPayloadToHeader: string;
  readonly outputClaimToHeaders: readonly { readonly header: string; readonly claim: string }[];
  readonly spaceDelimitedClaims: readonly string[];
  readonly forwardOriginalToken: boolean;
  readonly timeout?: Milliseconds;
}
