import { UriTemplateMatchConfigSchema } from "@mixerless/wire/envoy/extensions/path/match/uri_template/v3/uri_template_match";
import type { OperationField } from "../../config/kinds/security.ts";
import { typed } from "../proto.ts";
import { type Alternatives, cidr, each, eachValid, isPort, isRange, type Permission } from "./alternatives.ts";
import { headerMatcher, textMatcher } from "./string-forms.ts";

/** A field of an operation with the one that negates it, in the order in which they are written. */
export interface OperationList {
  readonly field: OperationField;
  readonly not: OperationField;
  readonly httpOnly: boolean;
  readonly alternatives: Alternatives<Permission>;
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

export const OPERATION_LISTS: readonly OperationList[] = [
  { field: "hosts", not: "notHosts", httpOnly: true, alternatives: hosts },
  { field: "methods", not: "notMethods", httpOnly: true, alternatives: methods },
  { field: "paths", not: "notPaths", httpOnly: true, alternatives: paths },
  { field: "ports", not: "notPorts", httpOnly: false, alternatives: ports },
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
