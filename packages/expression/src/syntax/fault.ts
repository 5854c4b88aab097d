/** What is wrong with an expression, where, and what to do about it. */
export interface ExpressionFault {
  /** From 1. */
  readonly line: number;
  /** From 1, in code points. */
  readonly column: number;
  readonly message: string;
}

/** A fault at an offset of the source, as the stages of this package note it. */
export interface OffsetFault {
  readonly offset: number;
  readonly message: string;
}

/** Thrown and caught inside this package only: parsing stops at the first fault. */
export class SyntaxFault extends Error {
  readonly offset: number;

  constructor(offset: number, message: string) {
    super(message);
    this.offset = offset;
  }
}

/** Gives faults the line and column that their reader looks for. */
export function locate(source: string, faults: readonly OffsetFault[]): ExpressionFault[] {
  return faults.map(({ offset, message }) => {
    const before = source.slice(0, offset).split("\n");
    const column = [...(before.at(-1) ?? "")].length + 1;
    return { line: before.length, column, message };
  });
}

/** `1:9: message; 2:1: message`. */
export function describeFaults(faults: readonly ExpressionFault[]): string {
  return faults.map(({ line, column, message }) => `${line}:${column}: ${message}`).join("; ");
}
