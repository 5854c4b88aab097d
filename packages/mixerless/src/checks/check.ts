/** The outcome of one check. A hint says what to do. */
export interface CheckResult {
  readonly section: string;
  readonly what: string;
  readonly state: "ok" | "warning" | "failed";
  readonly detail: string;
  readonly hint: string;
}

export interface Check {
  readonly section: string;
  readonly what: string;
  /** What follows makes no sense when this one fails. */
  readonly fatal: boolean;
  run(): Promise<Verdict>;
}

export type Verdict =
  | { readonly state: "ok" }
  | { readonly state: "warning" | "failed"; readonly detail: string; readonly hint: string };

export const OK: Verdict = { state: "ok" };

export function failed(detail: string, hint: string): Verdict {
  return { state: "failed", detail, hint };
}

export function doubtful(detail: string, hint: string): Verdict {
  return { state: "warning", detail, hint };
}

/** Runs the checks in order, each told as soon as it is known, and ends at the first fatal failure. */
export async function runChecks(checks: readonly Check[], tell: (result: CheckResult) => void): Promise<CheckResult[]> {
  const results: CheckResult[] = [];
  for (const { section, what, fatal, run } of checks) {
    const verdict = await run().catch((error: unknown) =>
      failed(error instanceof Error ? error.message : String(error), ""),
    );
    const { detail = "", hint = "" } = verdict.state === "ok" ? {} : verdict;
    const result = { section, what, state: verdict.state, detail, hint };
    results.push(result);
    tell(result);
    if (fatal && result.state === "failed") break;
  }
  return results;
}

const SIGNS = { ok: "√", warning: "‼", failed: "×" } as const;

/** One result for people. `section` starts a new paragraph where it changed. */
export function renderCheck(result: CheckResult, previousSection: string): string {
  const { section, what, state, detail, hint } = result;
  const title =
    section === previousSection
      ? ""
      : `${previousSection === "" ? "" : "\n"}${section}\n${"-".repeat(section.length)}\n`;
  const more = [detail, hint === "" ? "" : `hint: ${hint}`]
    .filter((line) => line !== "")
    .map((line) => `    ${line.replace(/\n/g, "\n    ")}\n`);
  return `${title}${SIGNS[state]} ${what}\n${more.join("")}`;
}
