import { textForm } from "./string-forms.ts";

/** What people write for the mesh's own trust domain, whatever it is called. */
const LOCAL = "cluster.local";

/**
 * Principals with those that they stand for under the mesh's other trust domains: `domains` are its own, first
 * the one in use, then the aliases [control-plane §6.3]. What is no whole `td/ns/…/sa/…` stays as it is.
 */
export function withAliases(principals: readonly string[], domains: readonly string[]): string[] {
  return distinct(principals.flatMap((principal) => aliasesOf(principal, domains)));
}

function aliasesOf(principal: string, domains: readonly string[]): string[] {
  const [domain = "", ns, , sa, , ...more] = principal.split("/");
  const whole = ns === "ns" && sa === "sa" && more.length === 0 && principal.split("/").length === 5;
  if (!whole || domain === "*") return [principal];
  if (domain !== LOCAL && !domains.some((own) => covers(domain, own))) return [principal];
  const rest = principal.slice(domain.length);
  return domains.map((own) => (domain.startsWith("*") && covers(domain, own) ? principal : `${own}${rest}`));
}

function covers(pattern: string, domain: string): boolean {
  return pattern.startsWith("*") ? domain.endsWith(pattern.slice(1)) : pattern === domain;
}

/** Trust domains; the mesh's own stand for all that it has. */
export function trustDomainsWithAliases(values: readonly string[], domains: readonly string[]): string[] {
  return distinct(values.flatMap((value) => (domains.includes(value) ? domains : [value])));
}

/** `x*` and `*x` as a pattern of names in the trust domain: a star takes no slash. */
export function trustDomainPattern(value: string): { prefix: string } | { infix: readonly [string, string] } {
  const form = textForm(value);
  switch (form.kind) {
    case "present":
      return { prefix: "" };
    case "exact":
      return { prefix: `${form.text}/` };
    case "prefix":
      return { infix: [form.text, ""] };
    case "suffix":
      return { infix: ["", form.text] };
  }
}

function distinct(values: readonly string[]): string[] {
  return [...new Set(values)];
}
