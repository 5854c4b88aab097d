/** Where fields are written to: a transport. */
export interface FieldSink {
  append(buffer: Buffer, start: number, end: number): void;
  appendLatin1(text: string): void;
}

/**
 * Writes `name: value CRLF`; returns its length. Piece by piece: joining them first makes a string of the whole field,
 * which is then copied again.
 */
export function writeField(sink: FieldSink, name: string, value: string): number {
  sink.appendLatin1(name);
  sink.appendLatin1(": ");
  sink.appendLatin1(value);
  sink.appendLatin1("\r\n");
  return name.length + value.length + 4;
}
