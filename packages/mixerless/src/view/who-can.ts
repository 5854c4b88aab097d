import { type Place, place } from "./authorization.ts";

/** What `/debug/whocanz` answers. */
export interface WhoCanAnswer {
  readonly proxy: string;
  readonly tokens: readonly (Place & { readonly issuer: string })[];
  readonly ports: readonly PortAccess[];
}

interface PortAccess {
  readonly port: number;
  readonly protocol: "HTTP" | "TCP";
  readonly mtls: Place & { readonly mode: string };
  /** No ALLOW policy stands in the way. */
  readonly open: boolean;
  readonly allow: readonly Rule[];
  readonly deny: readonly Rule[];
}

interface Rule extends Place {
  readonly who: readonly string[];
  readonly what: readonly string[];
  readonly when: readonly string[];
  readonly widened: boolean;
  readonly dryRun: boolean;
}

const MTLS: Readonly<Record<string, string>> = {
  STRICT: "mutual TLS only",
  PERMISSIVE: "mutual TLS or plaintext",
  DISABLE: "plaintext",
};

/** Who may call which port, for people. */
export function renderWhoCan({ proxy, tokens, ports }: WhoCanAnswer): string {
  const lines = ports.flatMap((port) => [...portLines(proxy, port), ""]);
  if (ports.length === 0) lines.push(`${proxy} takes no calls.`, "");
  for (const { issuer, ...token } of tokens) lines.push(`Tokens of ${issuer} are verified, by ${place(token)}.`);
  return `${lines.join("\n").trimEnd()}\n`;
}

function portLines(proxy: string, { port, protocol, mtls, open, allow, deny }: PortAccess): string[] {
  const by = mtls.object === undefined ? "" : `, by ${place(mtls)}`;
  const enforced = allow.filter(({ dryRun }) => !dryRun);
  const keepers = deny.filter(({ dryRun }) => !dryRun);
  const trials = [...allow, ...deny].filter(({ dryRun }) => dryRun);
  return [
    `${proxy} port ${port} (${protocol}), ${MTLS[mtls.mode] ?? mtls.mode}${by}`,
    ...(open ? ["  Anyone may ask for anything."] : []),
    ...(!open && enforced.length === 0 ? ["  Nobody: there are ALLOW policies and none lets anything in here."] : []),
    ...section("Allowed:", open ? [] : enforced),
    ...section(open ? "Except:" : "But never:", keepers),
    ...section("On trial, which changes nothing:", trials),
  ];
}

function section(title: string, rules: readonly Rule[]): string[] {
  return rules.length === 0 ? [] : [`  ${title}`, ...rules.flatMap(ruleLines)];
}

function ruleLines({ who, what, when, widened, ...found }: Rule): string[] {
  const conditions = when.length === 0 ? "" : `, if ${when.join(" and ")}`;
  return [
    `    ${alternatives(who, "anyone")}: ${alternatives(what, "anything")}${conditions}`,
    `      ${found.path} of ${place(found)}${widened ? "; more than is written, for this port cannot be asked the rest" : ""}`,
  ];
}

function alternatives(list: readonly string[], none: string): string {
  return list.length === 0 ? none : list.join("; or ");
}
