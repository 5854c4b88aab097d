// Node's Buffer has had these methods for ever, and they are what `toString` and `write` call; its types leave them out.
interface Buffer {
  latin1Slice(start: number, end: number): string;
  latin1Write(text: string, offset: number, length: number): number;
}
