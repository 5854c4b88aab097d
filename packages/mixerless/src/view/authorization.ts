/** What `/debug/authorizationz` answers. */
export interface AuthorizationAnswer {
  readonly allowed: boolean;
  readonly to: { readonly proxy: string; readonly port: number; readonly protocol: "HTTP" | "TCP" };
  readonly from: { readonly address: string; readonly principal: string | null };
  readonly decisive: RuleVerdict | null;
  readonly audit: RuleVerdict | null;
  readonly trials: readonly RuleVerdict[];
  readonly policies: readonly (Place & { readonly action: string; readonly dryRun: boolean })[];
}

interface Place {
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

/** The verdict and why, for people. */
export function renderAuthorization(answer: AuthorizationAnswer): string {
  const { allowed, to, from, decisive, audit, trials, policies } = answer;
  const caller = `${from.address}, ${from.principal ?? "plaintext"}`;
  const lines = [
    `${allowed ? "ALLOWED" : "DENIED"}: ${to.proxy} port ${to.port} (${to.protocol}) from ${caller}`,
    `  ${reason(decisive)}`,
    ...(audit === null ? [] : [`  Marked for audit by ${place(audit)}.`]),
    ...trials.map(
      (trial) =>
        `  On trial, by ${trial.action} policies alone: ${trial.allowed ? "allowed" : "denied"}. ${match(trial)}`,
    ),
  ];
  if (policies.length > 0) lines.push("", "Policies that apply:");
  for (const policy of policies)
    lines.push(`  ${policy.action.padEnd(6)} ${place(policy)}${policy.dryRun ? ", dry run" : ""}`);
  return `${lines.join("\n")}\n`;
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

function place({ object = "", file = "", line = 0 }: Place): string {
  return `${object} (${file}:${line})`;
}
