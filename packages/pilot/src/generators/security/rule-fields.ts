import { UriTemplateMatchConfigSchema } from "@mixerless/wire/envoy/extensions/path/match/uri_template/v3/uri_template_match";
import type { OperationField, SourceField } from "../../config/kinds/security.ts";
import { typed } from "../proto.ts";
import {
  type Alternatives,
  cidr,
  each,
  eachValid,
  isPort,
  isRange,
  type Permission,
  type Principal,
} from "./alternatives.ts";
import { namespaces, principals, serviceAccounts, trustDomains } from "./identity-matchers.ts";
import { requestPrincipals } from "./metadata-matchers.ts";
import { headerMatcher, textMatcher } from "./string-forms.ts";

/** A field of a source or an operation with the one that negates it. */
export interface RuleField<Field extends string, T> {
  readonly field: Field;
  readonly not: Field;
  /** Only requests have it. */
  readonly httpOnly: boolean;
  readonly alternatives: Alternatives<T>;
}

export const ports: Alternatives<Permission> = eachValid(isPort, "port number", (value) => ({
  rule: { case: "destinationPort", value: Number(value) },
}));

export const destinationIps: Alternatives<Permission> = eachValid(isRange, "IP address or range", (value) => ({
  rule: { case: "destinationIp", value: cidr(value) },
}));

export const serverNames: Alternatives<Permission> = each((value) => ({
  rule: { case: "requestedServerName", value: textMatcher(value) },
}));

const hosts: Alternatives<Permission> = each((value) => ({
  rule: { case: "header", value: headerMatcher(":authority", value, true) },
}));

const methods: Alternatives<Permission> = each((value) => ({
  rule: { case: "header", value: headerMatcher(":method", value) },
}));

const paths: Alternatives<Permission> = eachValid(isPath, "path that can be matched", (value) =>
  isTemplate(value)
    ? { rule: { case: "uriTemplate", value: uriTemplate(value) } }
    : { rule: { case: "urlPath", value: { rule: { case: "path", value: textMatcher(value) } } } },
);

/** In the order in which they are written. */
export const OPERATION_FIELDS: readonly RuleField<OperationField, Permission>[] = [
  { field: "hosts", not: "notHosts", httpOnly: true, alternatives: hosts },
  { field: "methods", not: "notMethods", httpOnly: true, alternatives: methods },
  { field: "paths", not: "notPaths", httpOnly: true, alternatives: paths },
  { field: "ports", not: "notPorts", httpOnly: false, alternatives: ports },
];

export const directRemoteIps: Alternatives<Principal> = eachValid(isRange, "IP address or range", (value) => ({
  identifier: { case: "directRemoteIp", value: cidr(value) },
}));

export const remoteIps: Alternatives<Principal> = eachValid(isRange, "IP address or range", (value) => ({
  identifier: { case: "remoteIp", value: cidr(value) },
}));

/** In the order in which they are written. */
export const SOURCE_FIELDS: readonly RuleField<SourceField, Principal>[] = [
  { field: "principals", not: "notPrincipals", httpOnly: false, alternatives: principals },
  { field: "requestPrincipals", not: "notRequestPrincipals", httpOnly: true, alternatives: requestPrincipals },
  { field: "serviceAccounts", not: "notServiceAccounts", httpOnly: false, alternatives: serviceAccounts },
  { field: "trustDomains", not: "notTrustDomains", httpOnly: false, alternatives: trustDomains },
  { field: "namespaces", not: "notNamespaces", httpOnly: false, alternatives: namespaces },
  { field: "remoteIpBlocks", not: "notRemoteIpBlocks", httpOnly: false, alternatives: remoteIps },
  { field: "ipBlocks", not: "notIpBlocks", httpOnly: false, alternatives: directRemoteIps },
];

function isTemplate(path: string): boolean {
  return path.includes("{*}") || path.includes("{**}");
}

/** A data plane refuses a template that is not rooted or holds what no segment can, and the whole listener with it. */
function isPath(path: string): boolean {
  if (!isTemplate(path)) return true;
  const [root, ...segments] = path.split("/");
  if (root !== "" || segments.length === 0) return false;
  const rest = segments.indexOf("{**}");
  if (rest >= 0 && segments.slice(rest + 1).some((segment) => segment.startsWith("{"))) return false;
  return segments.every(
    (segment) => segment === "{*}" || segment === "{**}" || /^[A-Za-z0-9\-._~%!$&'()+,;:@=]*$/.test(segment),
  );
}

function uriTemplate(path: string) {
  const pathTemplate = path.replaceAll("{**}", "**").replaceAll("{*}", "*");
  return { name: "uri-template", typedConfig: typed(UriTemplateMatchConfigSchema, { pathTemplate }) };
}
