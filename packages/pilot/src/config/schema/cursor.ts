import type { Position } from "../config-object.ts";
import type { Fault } from "../fault.ts";
import { formatPath, type PathSegment } from "../field-path.ts";

/** More faults than anybody reads; the rest of a hopeless object is not worth the memory. */
const MAX_FAULTS = 100;

/** What a check of one object needs to know beside the values. */
export interface Subject {
  /** `VirtualService default/reviews`. */
  readonly object: string;
  readonly namespace: string;
  locate(path: readonly PathSegment[]): Position;
}

/** A place in the object being read; collects the faults of the whole object. */
export class Cursor {
  readonly subject: Subject;
  readonly #parent: Cursor | undefined;
  readonly #segment: PathSegment | undefined;
  readonly #faults: Fault[];

  private constructor(subject: Subject, faults: Fault[], parent?: Cursor, segment?: PathSegment) {
    this.subject = subject;
    this.#faults = faults;
    this.#parent = parent;
    this.#segment = segment;
  }

  static root(subject: Subject): Cursor {
    return new Cursor(subject, []);
  }

  at(segment: PathSegment): Cursor {
    return new Cursor(this.subject, this.#faults, this, segment);
  }

  /** Refuses the object. Say what is wrong with its likely cause, then the cure. */
  error(code: string, message: string, cure: string): void {
    this.#add("error", code, message, cure);
  }

  /** Speaks of something that is accepted but probably not meant. */
  warn(code: string, message: string, cure: string): void {
    this.#add("warning", code, message, cure);
  }

  /** Faults so far, of the whole object, in the order of their lines. */
  get faults(): readonly Fault[] {
    return [...this.#faults].sort((a, b) => a.line - b.line || a.column - b.column);
  }

  get refused(): boolean {
    return this.#faults.some((fault) => fault.severity === "error");
  }

  get path(): PathSegment[] {
    const segments: PathSegment[] = [];
    for (let cursor: Cursor | undefined = this; cursor !== undefined; cursor = cursor.#parent) {
      if (cursor.#segment !== undefined) segments.push(cursor.#segment);
    }
    return segments.reverse();
  }

  #add(severity: Fault["severity"], code: string, message: string, cure: string): void {
    // An error is never dropped in favour of warnings: the verdict must not depend on the limit.
    if (this.#faults.length >= MAX_FAULTS && (severity === "warning" || this.refused)) return;
    const path = this.path;
    this.#faults.push({
      code,
      severity,
      object: this.subject.object,
      path: formatPath(path),
      ...this.subject.locate(path),
      message,
      cure,
    });
  }
}
