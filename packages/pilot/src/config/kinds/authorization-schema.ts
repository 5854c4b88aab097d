// AuthorizationPolicy (§8.7).
import type { Cursor } from "../schema/cursor.ts";
import { subnetProblem } from "../schema/hosts.ts";
import { asWritten, lists, object, optional, required, withDefault } from "../schema/object.ts";
import { checked, convert, describe, list, nonEmpty, oneOf, type Reader, string } from "../schema/reader.ts";
import { attachment, attachmentFields } from "../schema/shared-readers.ts";
import { warnOfPolicy } from "./authorization-warnings.ts";
import type {
  AuthorizationCondition,
  AuthorizationOperation,
  AuthorizationPolicySpec,
  AuthorizationRule,
  AuthorizationSource,
} from "./security.ts";

const names = lists(nonEmpty);

const addresses = lists(
  checked(nonEmpty, (text, at) => {
    const problem = subnetProblem(text);
    if (problem !== undefined && text !== "")
      at.error("bad-address", `${describe(text)} ${problem}`, "Use 10.0.0.1 or 10.0.0.0/8.");
  }),
);

const serviceAccounts = lists(
  checked(nonEmpty, (text, at) => {
    const parts = text.split("/");
    if (text.length <= 320 && parts.length <= 2 && !text.includes("*") && parts.every((part) => part !== "")) return;
    at.error(
      "bad-service-account",
      `${describe(text)} is no service account.`,
      "Write name or namespace/name, without *.",
    );
  }),
  16,
);

const trustDomains = lists(
  checked(nonEmpty, (text, at) => {
    const stars = text.split("*").length - 1;
    const atAnEnd = text.startsWith("*") || text.endsWith("*");
    if (!text.includes("/") && (stars === 0 || (stars === 1 && atAnEnd))) return;
    at.error("bad-trust-domain", `${describe(text)} is no trust domain.`, "Use one * at most, at an end, and no /.");
  }),
);

const source: Reader<AuthorizationSource> = asWritten(
  object({
    principals: names,
    notPrincipals: names,
    requestPrincipals: names,
    notRequestPrincipals: names,
    namespaces: names,
    notNamespaces: names,
    serviceAccounts,
    notServiceAccounts: serviceAccounts,
    trustDomains,
    notTrustDomains: trustDomains,
    ipBlocks: addresses,
    notIpBlocks: addresses,
    remoteIpBlocks: addresses,
    notRemoteIpBlocks: addresses,
  }),
  (has, read, at) => {
    if (Object.values(read).every((entries) => entries.length === 0)) {
      at.error("empty-source", "The source says nothing.", "Name principals, namespaces or addresses.");
    }
    const accounts = has("serviceAccounts") || has("notServiceAccounts");
    if (accounts && ["principals", "notPrincipals", "namespaces", "notNamespaces"].some(has)) {
      const message = "Cannot set serviceAccounts with namespaces or principals.";
      at.error("several-alternatives", message, "Keep one way to name the callers.");
    }
  },
);

const ports = lists(
  checked(nonEmpty, (text, at) => {
    if (/^\d{1,5}$/.test(text) && Number(text) <= 65535) return;
    at.error("bad-port", `${describe(text)} is no port number.`, 'Write a number in quotes, such as "80".');
  }),
);

const paths = lists(
  checked(nonEmpty, (text, at) => {
    const problem = pathTemplateProblem(text);
    if (problem !== undefined)
      at.error("bad-path", `${describe(text)} ${problem}`, "Use {*} for one segment and {**} for the rest.");
  }),
);

/** Only paths with braces are templates; in them an operator is a whole segment and `{**}` the last one. */
function pathTemplateProblem(path: string): string | undefined {
  if (!/[{}]/.test(path)) return undefined;
  let rest = false;
  for (const segment of path.split("/")) {
    const operator = segment === "{*}" || segment === "{**}";
    if (operator && rest) return "has an operator behind {**}.";
    if (segment === "{**}") rest = true;
    if (!operator && /[{}*]/.test(segment)) return "mixes braces or * with other text in a segment.";
  }
  return undefined;
}

const operation: Reader<AuthorizationOperation> = checked(
  object({
    hosts: names,
    notHosts: names,
    ports,
    notPorts: ports,
    methods: names,
    notMethods: names,
    paths,
    notPaths: paths,
  }),
  (read, at) => {
    if (Object.values(read).some((entries) => entries.length > 0)) return;
    at.error("empty-operation", "The operation says nothing.", "Name hosts, ports, methods or paths.");
  },
);

const PLAIN_KEYS = [
  "source.ip",
  "remote.ip",
  "source.namespace",
  "source.serviceAccount",
  "source.trustDomain",
  "source.principal",
  "request.auth.principal",
  "request.auth.audiences",
  "request.auth.presenter",
  "destination.ip",
  "destination.port",
  "connection.sni",
];
const MAP_KEY = /^(request\.headers|request\.auth\.claims|experimental\.envoy\.filters\.[\w.-]+)(\[[^\][]+\])+$/;

const condition: Reader<AuthorizationCondition> = checked(
  object({ key: required(nonEmpty), values: names, notValues: names }),
  ({ key, values, notValues }, at) => {
    if (!PLAIN_KEYS.includes(key) && !MAP_KEY.test(key)) {
      const retired = /^destination\.(labels|name|namespace|user)/.test(key);
      const cure = retired
        ? "Select the workloads by selector instead."
        : `Use ${PLAIN_KEYS.join(", ")} or request.headers[name].`;
      at.at("key").error("unknown-key", `${describe(key)} is no condition key.`, cure);
    }
    if (values.length + notValues.length === 0) {
      at.error("missing-field", "The condition has neither values nor notValues.", "Add one of them.");
    }
  },
);

function wrapped<K extends "source" | "operation", T>(name: K, reader: Reader<T>): Reader<T> {
  const outer = object({ [name]: required(reader) } as Record<K, ReturnType<typeof required<T>>>);
  return (value, at) => (outer(value, at) as Readonly<Record<K, T>> | undefined)?.[name];
}

const rule: Reader<AuthorizationRule> = object({
  from: lists(wrapped("source", source), 512),
  to: lists(wrapped("operation", operation)),
  when: lists(condition),
});

const provider = convert(object({ name: withDefault(string, "") }), ({ name }) => name);

export const authorizationPolicy: Reader<AuthorizationPolicySpec> = convert(
  object({
    ...attachmentFields,
    action: withDefault(oneOf("ALLOW", "DENY", "AUDIT", "CUSTOM"), "ALLOW"),
    provider: optional(provider),
    rules: withDefault(list(rule, { max: 512 }), Object.freeze([])),
  }),
  ({ selector, targetRef, targetRefs, ...read }, at) => {
    checkAction(read, at);
    warnOfPolicy(read, at);
    const written = { ...(selector && { selector }), ...(targetRef && { targetRef }), targetRefs };
    return Object.freeze({ ...read, ...attachment(written, at) });
  },
);

type Policy = Pick<AuthorizationPolicySpec, "action" | "provider" | "rules">;

function checkAction({ action, provider, rules }: Policy, at: Cursor): void {
  if (action === "DENY" && rules.length === 0) {
    at.error(
      "missing-field",
      "A DENY policy without rules is meaningless: it never denies.",
      "Add rules; {} matches everything.",
    );
  }
  if (action !== "CUSTOM") {
    if (provider !== undefined)
      at.at("provider").error("bad-provider", "A provider needs action CUSTOM.", "Set action: CUSTOM.");
    return;
  }
  if (rules.length === 0) at.error("missing-field", "A CUSTOM policy needs rules.", "Add rules.");
  if (provider === undefined || provider === "")
    at.error("missing-field", "A CUSTOM policy needs provider.name.", "Add it.");
  rules.forEach((entry, index) => {
    if (!usesIdentity(entry)) return;
    const message = "CUSTOM rules are evaluated before identities are known.";
    at.at("rules").at(index).error("identity-in-custom", message, "Match by operation and address only.");
  });
}

const IDENTITY_FIELDS = ["principals", "requestPrincipals", "namespaces", "serviceAccounts", "trustDomains"] as const;
const IDENTITY_KEY = /^(source\.(namespace|serviceAccount|trustDomain|principal)|request\.auth\.)/;

function usesIdentity(entry: AuthorizationRule): boolean {
  const inSource = entry.from.some((from) =>
    IDENTITY_FIELDS.some((field) => {
      const not = `not${field.charAt(0).toUpperCase()}${field.slice(1)}` as keyof AuthorizationSource;
      return from[field].length + from[not].length > 0;
    }),
  );
  return inSource || entry.when.some(({ key }) => IDENTITY_KEY.test(key));
}
