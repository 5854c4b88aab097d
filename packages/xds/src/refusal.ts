/** Why one resource of an update was not taken. The others of the update count as taken. */
export interface ResourceFault {
  readonly name: string;
  /** Names the field and the reason: `filter_chains[0].filters: empty`. */
  readonly message: string;
}

/** The same, as the other side reads it out of a NACK. */
export interface RefusedResource {
  readonly name: string;
  /** Path of the offending field within the resource, where the text has one. */
  readonly field?: string | undefined;
  readonly reason: string;
}

/** Longest error text that is sent or kept, in characters. */
const MAX_MESSAGE = 8192;
/** So that one resource's text leaves room for the others. */
const MAX_LINE = 1024;
/** A text can be searched for so many names before the search costs more than its answer is worth. */
const MAX_CANDIDATES = 2000;
const MAX_FAULTS = 100;

/** `name: field: reason`, one line a resource, as Envoy reports several listeners at once. */
export function formatRefusal(faults: readonly ResourceFault[]): string {
  const lines = faults
    .slice(0, MAX_FAULTS)
    .map(({ name, message }) => truncate(`${name}: ${message.replaceAll(/\n+/g, " ")}`, MAX_LINE));
  if (faults.length > MAX_FAULTS) lines.push(`and ${faults.length - MAX_FAULTS} more`);
  return truncateRefusal(lines.join("\n"));
}

export function truncateRefusal(message: string): string {
  return truncate(message, MAX_MESSAGE);
}

function truncate(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length - 1)}…` : text;
}

/**
 * Finds in a NACK's text which of the resources sent it is about. Ours, Envoy's and gRPC's all put
 * `name: ` before the reason; a text that names none is about the only resource, if there was only one.
 */
export function parseRefusal(message: string, candidates: readonly string[]): RefusedResource[] {
  const text = truncateRefusal(message);
  const faults: RefusedResource[] = [];
  for (const name of candidates.slice(0, MAX_CANDIDATES)) {
    const start = indexOfName(text, name);
    if (start < 0) continue;
    faults.push(faultAt(text, name, start));
    if (faults.length === MAX_FAULTS) break;
  }
  const [only] = candidates;
  if (faults.length === 0 && only !== undefined && candidates.length === 1) faults.push({ name: only, reason: text });
  return faults;
}

function indexOfName(text: string, name: string): number {
  if (name === "") return -1;
  for (let at = text.indexOf(name); at >= 0; at = text.indexOf(name, at + 1)) {
    // A name may be the tail of another one: "80" of "outbound|80".
    const startsWord = at === 0 || /[\s"'([,]/.test(text.charAt(at - 1));
    if (startsWord && /^["')]?:/.test(text.slice(at + name.length, at + name.length + 2))) return at;
  }
  return -1;
}

function faultAt(text: string, name: string, start: number): RefusedResource {
  const end = text.indexOf("\n", start);
  const line = text.slice(start + name.length, end < 0 ? undefined : end).replace(/^["')]?:\s*/, "");
  const field = /^([a-z][\w.]*(?:\[[^\]\s]*\][\w.]*)*): (.+)$/s.exec(line);
  if (field?.[1] !== undefined && /[.[_]/.test(field[1]) && field[2] !== undefined) {
    return { name, field: field[1], reason: field[2] };
  }
  return { name, reason: line };
}
