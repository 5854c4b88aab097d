import { renderTable } from "./table.ts";

/** `/debug/caz`. Times in milliseconds since the epoch. */
export interface RootsPage {
  readonly roots: readonly {
    readonly fingerprint: string;
    readonly role: string;
    readonly notAfter: number;
    readonly signsFrom: number;
    readonly trustedUntil: number;
    readonly inUse: number;
  }[];
  readonly pluggedIn: boolean;
  readonly next: "issue" | "drop" | null;
  readonly waiting: readonly string[];
}

const DAY = 86_400_000;
/** The last part of a root's life in which people should know. */
const NEAR = 30 * DAY;
const MOST_WAITING = 20;

/** The mesh's roots, and what a change of them waits for. */
export function renderRoots({ roots, pluggedIn, next, waiting }: RootsPage, now: number): string {
  const rows = roots.map((root) => [
    root.fingerprint.slice(0, 16),
    root.role === "next" ? `signs from ${time(root.signsFrom)}` : root.role === "old" ? "signed before" : "signs",
    time(root.notAfter),
    root.role === "old" ? time(root.trustedUntil) : "",
    String(root.inUse),
  ]);
  const lines = [
    renderTable(["ROOT", "ROLE", "EXPIRES", "TRUSTED UNTIL", "CERTIFICATES IN USE"], rows).trimEnd(),
    ...roots
      .filter(({ role, notAfter }) => role === "signs" && notAfter - now < NEAR)
      .map(
        ({ notAfter }) =>
          `Warning: the root that signs ${notAfter <= now ? "has expired" : `expires in ${Math.floor((notAfter - now) / DAY)} days`}.`,
      ),
    ...(pluggedIn ? ["The roots are files that an operator has plugged in."] : []),
    ...(next === null
      ? []
      : [`Next step: mixerless ca rotate-root ${next}${waiting.length === 0 ? "" : ", which waits for:"}`]),
    ...waiting.slice(0, MOST_WAITING).map((one) => `  ${one}`),
    ...(waiting.length > MOST_WAITING ? [`  and ${waiting.length - MOST_WAITING} more`] : []),
  ];
  return `${lines.join("\n")}\n`;
}

function time(milliseconds: number): string {
  return new Date(milliseconds).toISOString().replace(/\.\d+Z$/, "Z");
}
