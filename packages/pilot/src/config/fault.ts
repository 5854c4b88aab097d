/** Something wrong, or doubtful, in the configuration. */
export interface Fault {
  /** Stable, such as `unknown-field`. */
  readonly code: string;
  /** An error refuses the object; its last good version stays. A warning does not. */
  readonly severity: "error" | "warning";
  /** `VirtualService default/reviews`, or empty when the file could not be read that far. */
  readonly object: string;
  /** `spec.http[0].route[1].weight`, or empty. */
  readonly path: string;
  readonly file: string;
  /** From 1; 0 when the fault concerns the file as a whole. */
  readonly line: number;
  readonly column: number;
  /** What is wrong, and the likely cause where there is one. */
  readonly message: string;
  /** What to do. */
  readonly cure: string;
}

/** A fault as a block of text for people. No trailing line break. */
export function formatFault(fault: Fault): string {
  const place = fault.line === 0 ? fault.file : `${fault.file}:${fault.line}:${fault.column}`;
  const subject = [fault.object, fault.path].filter((part) => part !== "").join(" ");
  const lines = [`${fault.severity}: ${place}${subject === "" ? "" : `: ${subject}`}`, `  ${fault.message}`];
  if (fault.cure !== "") lines.push(`  Cure: ${fault.cure}`);
  return `${lines.join("\n")} [${fault.code}]`;
}

/** Several faults, separated by empty lines, errors first. */
export function formatFaults(faults: readonly Fault[]): string {
  const errors = faults.filter((fault) => fault.severity === "error");
  const warnings = faults.filter((fault) => fault.severity === "warning");
  return [...errors, ...warnings].map(formatFault).join("\n\n");
}
