import { type Alternatives, each, type Permission, type Principal } from "./alternatives.ts";
import { namespaces, principals, serviceAccounts, trustDomains } from "./identity-matchers.ts";
import { claim, filterMetadata, requestPrincipals } from "./metadata-matchers.ts";
import { destinationIps, directRemoteIps, ports, remoteIps, serverNames } from "./rule-fields.ts";
import { headerMatcher } from "./string-forms.ts";

/** What a `when` key asks about: one of the two sides of a rule, the other being null. */
export interface Condition {
  readonly permission: Alternatives<Permission> | null;
  readonly principal: Alternatives<Principal> | null;
  readonly httpOnly: boolean;
}

const PLAIN: Readonly<Record<string, Condition>> = {
  "destination.ip": permission(destinationIps),
  "destination.port": permission(ports),
  "connection.sni": permission(serverNames),
  "source.ip": principal(directRemoteIps),
  "remote.ip": principal(remoteIps),
  "source.namespace": principal(namespaces),
  "source.principal": principal(principals),
  "source.serviceAccount": principal(serviceAccounts),
  "source.trustDomain": principal(trustDomains),
  "request.auth.principal": principal(requestPrincipals, true),
  "request.auth.audiences": principal(claim("aud"), true),
  "request.auth.presenter": principal(claim("azp"), true),
};

const HEADER_NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** The condition behind a key [control-plane §6.2], or undefined for a key that says nothing. */
export function conditionOf(key: string): Condition | undefined {
  if (Object.hasOwn(PLAIN, key)) return PLAIN[key];
  const [, name = "", brackets = ""] = /^([^[]+)((?:\[[^\][]+\])+)$/.exec(key) ?? [];
  const path = brackets.slice(1, -1).split("][");
  const [first = ""] = path;
  if (name === "request.headers") {
    if (path.length > 1 || !HEADER_NAME.test(first)) return undefined;
    return principal(header(first), true);
  }
  if (name === "request.auth.claims") return principal(claim(...path), true);
  const filter = /^experimental\.(envoy\.filters\..+)$/.exec(name)?.[1];
  return filter === undefined ? undefined : permission(filterMetadata(filter, path));
}

function header(name: string): Alternatives<Principal> {
  return each((value) => ({ identifier: { case: "header", value: headerMatcher(name, value) } }));
}

function permission(alternatives: Alternatives<Permission>): Condition {
  return { permission: alternatives, principal: null, httpOnly: false };
}

function principal(alternatives: Alternatives<Principal>, httpOnly = false): Condition {
  return { permission: null, principal: alternatives, httpOnly };
}
