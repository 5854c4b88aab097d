import { type Alternatives, each, type Principal } from "./alternatives.ts";
import { quoted, regexMatcher, textForm } from "./string-forms.ts";
import { trustDomainPattern, trustDomainsWithAliases, withAliases } from "./trust-domains.ts";

const SCHEME = "spiffe://";

type NameMatcher = ReturnType<typeof regexMatcher>;

/** Names of workloads without their scheme, as `td/ns/<namespace>/sa/<service account>`. */
export const principals: Alternatives<Principal> = (values, { trustDomains }) =>
  withAliases(values, trustDomains).map((value) => authenticated(nameMatcher(value)));

export const namespaces: Alternatives<Principal> = each((value) => {
  const pattern = value.split("*").map(quoted).join(".*");
  return authenticated(regexMatcher(`.*/ns/${pattern}/.*`));
});

/** `namespace/name`, or the name alone for the policy's own namespace. */
export const serviceAccounts: Alternatives<Principal> = each((value, { namespace }) => {
  const [first = "", second] = value.split("/");
  const [ns, name] = second === undefined ? [namespace, first] : [first, second];
  return authenticated(regexMatcher(`spiffe://.+/ns/${quoted(ns)}/(.+/|)sa/${quoted(name)}(/.+)?`));
});

export const trustDomains: Alternatives<Principal> = (values, facts) =>
  trustDomainsWithAliases(values, facts.trustDomains).map((value) => {
    const pattern = trustDomainPattern(value);
    if ("prefix" in pattern)
      return authenticated({ matchPattern: { case: "prefix", value: `${SCHEME}${pattern.prefix}` } });
    const [before, after] = pattern.infix;
    return authenticated(regexMatcher(`${SCHEME}${quoted(before)}[^/]*${quoted(after)}/.*`));
  });

function nameMatcher(value: string): NameMatcher {
  const form = textForm(value);
  switch (form.kind) {
    case "present":
      return regexMatcher(".+");
    case "suffix":
      return regexMatcher(`${SCHEME}.*${quoted(form.text)}`);
    default:
      return { matchPattern: { case: form.kind, value: `${SCHEME}${form.text}` } };
  }
}

function authenticated(principalName: NameMatcher): Principal {
  return { identifier: { case: "authenticated", value: { principalName } } };
}
