import type { SourceField } from "../../config/kinds/security.ts";
import { type Alternatives, cidr, eachValid, isRange, type Principal } from "./alternatives.ts";
import { namespaces, principals, serviceAccounts, trustDomains } from "./identity-matchers.ts";
import { requestPrincipals } from "./metadata-matchers.ts";

/** A field of a source with the one that negates it, in the order in which they are written. */
export interface SourceList {
  readonly field: SourceField;
  readonly not: SourceField;
  readonly httpOnly: boolean;
  readonly alternatives: Alternatives<Principal>;
}

export const directRemoteIps: Alternatives<Principal> = eachValid(isRange, "IP address or range", (value) => ({
  identifier: { case: "directRemoteIp", value: cidr(value) },
}));

export const remoteIps: Alternatives<Principal> = eachValid(isRange, "IP address or range", (value) => ({
  identifier: { case: "remoteIp", value: cidr(value) },
}));

export const SOURCE_LISTS: readonly SourceList[] = [
  { field: "principals", not: "notPrincipals", httpOnly: false, alternatives: principals },
  { field: "requestPrincipals", not: "notRequestPrincipals", httpOnly: true, alternatives: requestPrincipals },
  { field: "serviceAccounts", not: "notServiceAccounts", httpOnly: false, alternatives: serviceAccounts },
  { field: "trustDomains", not: "notTrustDomains", httpOnly: false, alternatives: trustDomains },
  { field: "namespaces", not: "notNamespaces", httpOnly: false, alternatives: namespaces },
  { field: "remoteIpBlocks", not: "notRemoteIpBlocks", httpOnly: false, alternatives: remoteIps },
  { field: "ipBlocks", not: "notIpBlocks", httpOnly: false, alternatives: directRemoteIps },
];
