/** What `/debug/authorizationz` answers. */
export interface AuthorizationAnswer {
  readonly allowed: boolean;
  readonly to: { readonly proxy: string; readonly port: number; readonly protocol: "HTTP" | "TCP" };
  readonly from: { readonly address: string; readonly principal: string | null };
  readonly mtls: Place & { readonly mode: string; readonly refuses: boolean };
  readonly connection: Place & {
    readonly speaks: "plaintext" | "mutual-tls" | "tls";
    /** Why; empty where the question says so itself. */
    readonly why: string;
    /** Why the caller gives up by itself. */
    readonly fails: string | null;
  };
  /** Null: there is none, and nobody would look. */
  readonly token: TokenAnswer | null;
  readonly decisive: RuleVerdict | null;
  readonly audit: RuleVerdict | null;
  readonly trials: readonly RuleVerdict[];
  readonly policies: readonly (Place & { readonly action: string; readonly dryRun: boolean })[];
}

interface TokenAnswer extends Place {
  readonly outcome: "valid" | "refused" | "absent" | "ignored";
  readonly reason: string | null;
  readonly principal: string | null;
}

export interface Place {
  readonly object?: string;
  readonly path?: string;
  readonly file?: string;
  readonly line?: number;
}

interface RuleVerdict extends Place {
  readonly action: string;
  readonly allowed: boolean;
  /** Null: no rule matched. */
  readonly rule: string | null;
}

const SPOKEN = {
  plaintext: "plaintext",
  "mutual-tls": "mutual TLS",
  tls: "TLS without an identity of the mesh",
};

const TAKEN: Readonly<Record<string, string>> = {
  DISABLE: "plaintext",
  PERMISSIVE: "mutual TLS of the mesh or plaintext",
  STRICT: "mutual TLS",
};

/** The verdict and why, for people. */
export function renderAuthorization(answer: AuthorizationAnswer): string {
  const { allowed, to, from, mtls, connection, token, decisive, audit, trials, policies } = answer;
  const caller = `${from.address}, ${from.principal ?? SPOKEN[connection.speaks]}`;
  const spoken = connection.why === "" ? [] : [`  ${connection.why}${by(connection)}.`];
  const refused = mtls.refuses || connection.fails !== null;
  const lines = [
    `${allowed ? "ALLOWED" : "DENIED"}: ${to.proxy} port ${to.port} (${to.protocol}) from ${caller}`,
    ...(refused ? spoken : []),
    ...(connection.fails === null ? [] : [`  ${connection.fails}`]),
    ...(mtls.refuses ? [`  The port takes ${TAKEN[mtls.mode] ?? "TLS"} only${by(mtls)}.`] : []),
    ...(token === null ? [] : [`  ${tokenLine(token)}`]),
    `  ${reason(decisive)}`,
    ...(audit === null ? [] : [`  Marked for audit by ${place(audit)}.`]),
    ...trials.map(
      (trial) =>
        `  On trial, by ${trial.action} policies alone: ${trial.allowed ? "allowed" : "denied"}. ${match(trial)}`,
    ),
    ...(refused ? [] : spoken),
  ];
  if (policies.length > 0) lines.push("", "Policies that apply:");
  for (const policy of policies)
    lines.push(`  ${policy.action.padEnd(6)} ${place(policy)}${policy.dryRun ? ", dry run" : ""}`);
  return `${lines.join("\n")}\n`;
}

function tokenLine(token: TokenAnswer): string {
  switch (token.outcome) {
    case "valid":
      return `The token of ${token.principal} is valid${by(token)}.`;
    case "refused":
      return `The token is refused${by(token)}: ${token.reason}.`;
    case "absent":
      return "There is no token where one is looked for, which refuses nobody.";
    case "ignored":
      return "No RequestAuthentication applies here, so nobody looks at the token.";
  }
}

function by(found: Place): string {
  if (found.object === undefined) return "";
  return found.path === "" ? `, by ${place(found)}` : `, by ${found.path} of ${place(found)}`;
}

function reason(verdict: RuleVerdict | null): string {
  if (verdict === null) return "No policy is enforced here, so everything is allowed.";
  if (verdict.rule !== null) return match(verdict);
  return verdict.action === "ALLOW"
    ? "There are ALLOW policies and no rule of them matches."
    : `No ${verdict.action} rule matches, and there is no ALLOW policy.`;
}

function match(verdict: RuleVerdict): string {
  const { action, rule, path = "" } = verdict;
  return rule === null ? `No ${action} rule matches.` : `${path} of ${place(verdict)}, action ${action}, matches.`;
}

export function place({ object = "", file = "", line = 0 }: Place): string {
  return `${object} (${file}:${line})`;
}
