import type {
  AuthorizationOperation,
  AuthorizationRule,
  AuthorizationSource,
  OperationField,
  SourceField,
} from "../config/kinds/security.ts";
import type { Provenance } from "../generators/generated.ts";
import type { GeneratorInput } from "../generators/generator-input.ts";
import { isDryRun } from "../generators/security/dry-run.ts";
import { type AuthorizationPolicy, ruleFacts } from "../generators/security/named-rules.ts";
import { translateRule } from "../generators/security/translate-rule.ts";
import { type InboundPort, inboundPorts } from "./inbound-ports.ts";
import { type PortSecurity, portSecurity } from "./port-security.ts";

/** One rule, told in words. */
export interface RuleInWords {
  /** Of whom one must call; empty: anyone. */
  readonly who: readonly string[];
  /** Of what one must be asked; empty: anything. */
  readonly what: readonly string[];
  /** All must hold. */
  readonly when: readonly string[];
  /** On this port it matches more than is written; told of rules that deny. */
  readonly widened: boolean;
  readonly dryRun: boolean;
  readonly place: Provenance;
}

/** Who may call one port of a workload. */
export interface PortAccess {
  readonly port: InboundPort;
  readonly security: PortSecurity;
  /** Whether nothing but the rules of {@link deny} stands in the way. */
  readonly open: boolean;
  readonly allow: readonly RuleInWords[];
  readonly deny: readonly RuleInWords[];
}

/** Per port: which rules let callers in and which keep them out. Rules that can never concern a port are left out. */
export function whoCan(input: GeneratorInput): PortAccess[] {
  const policies = input.push.attached("AuthorizationPolicy", input.proxy);
  return inboundPorts(input).map((port) => {
    const words = (...actions: AuthorizationPolicy["spec"]["action"][]) =>
      policies
        .filter(({ spec }) => actions.includes(spec.action))
        .flatMap((policy) => rulesInWords(policy, port, input));
    return {
      port,
      security: portSecurity(input, port.number),
      open: !policies.some((policy) => policy.spec.action === "ALLOW" && !isDryRun(policy)),
      allow: words("ALLOW"),
      // Nobody can be asked for a CUSTOM verdict yet: what such a rule matches is denied.
      deny: words("CUSTOM", "DENY"),
    };
  });
}

function rulesInWords(policy: AuthorizationPolicy, port: InboundPort, { push }: GeneratorInput): RuleInWords[] {
  const { action, rules } = policy.spec;
  return rules.flatMap((rule, i) => {
    const path = `spec.rules[${i}]`;
    const transport = port.http ? "http" : "tcp";
    const { widened } = translateRule(rule, path, ruleFacts(policy, push.mesh), transport);
    // A rule that cannot be asked as a whole allows nothing.
    if ((widened && action === "ALLOW") || !concerns(rule, port.number)) return [];
    return [
      {
        who: rule.from.map(source),
        what: rule.to.filter((one) => reaches(one, port.number)).map((one) => operation(one, port.http)),
        when: rule.when.flatMap(condition),
        widened,
        dryRun: isDryRun(policy),
        place: { config: policy, path },
      },
    ];
  });
}

function concerns({ to, when }: AuthorizationRule, port: number): boolean {
  const here = String(port);
  const reached = to.length === 0 || to.some((one) => reaches(one, port));
  return (
    reached &&
    when.every(
      ({ key, values, notValues }) =>
        key !== "destination.port" || ((values.length === 0 || values.includes(here)) && !notValues.includes(here)),
    )
  );
}

function reaches({ ports, notPorts }: AuthorizationOperation, port: number): boolean {
  const here = String(port);
  return (ports.length === 0 || ports.includes(here)) && !notPorts.includes(here);
}

const SOURCE_WORDS: readonly (readonly [SourceField, SourceField, string])[] = [
  ["principals", "notPrincipals", "principal"],
  ["requestPrincipals", "notRequestPrincipals", "token of"],
  ["serviceAccounts", "notServiceAccounts", "service account"],
  ["trustDomains", "notTrustDomains", "trust domain"],
  ["namespaces", "notNamespaces", "namespace"],
  ["remoteIpBlocks", "notRemoteIpBlocks", "original address"],
  ["ipBlocks", "notIpBlocks", "address"],
];

const OPERATION_WORDS: readonly (readonly [OperationField, OperationField, string])[] = [
  ["methods", "notMethods", "method"],
  ["paths", "notPaths", "path"],
  ["hosts", "notHosts", "host"],
];

function source(written: AuthorizationSource): string {
  return phrase(SOURCE_WORDS, written) || "anyone";
}

function operation(written: AuthorizationOperation, http: boolean): string {
  return (http && phrase(OPERATION_WORDS, written)) || "anything";
}

function phrase<F extends string>(
  words: readonly (readonly [F, F, string])[],
  written: Readonly<Record<F, readonly string[]>>,
): string {
  return words
    .flatMap(([field, not, word]) => [
      ...(written[field].length === 0 ? [] : [`${word} ${written[field].join(" or ")}`]),
      ...(written[not].length === 0 ? [] : [`${word} other than ${written[not].join(", ")}`]),
    ])
    .join(" and ");
}

function condition({ key, values, notValues }: AuthorizationRule["when"][number]): string[] {
  return [
    ...(values.length === 0 ? [] : [`${key} is ${values.join(" or ")}`]),
    ...(notValues.length === 0 ? [] : [`${key} is none of ${notValues.join(", ")}`]),
  ];
}
