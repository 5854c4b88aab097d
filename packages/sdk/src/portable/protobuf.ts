/** Protobuf wire types. Groups are refused. */
export const VARINT: i32 = 0;
/** Eight bytes. */
export const FIXED64: i32 = 1;
/** A length and so many bytes. */
export const BYTES: i32 = 2;
/** Four bytes. */
export const FIXED32: i32 = 5;

/**
 * Walks the fields of one protobuf message in `source[start, end)`. Call `next` until it is false; after each true, `field`
 * and `type` name the field, and for {@link BYTES} its content is `source[start, stop)`. Values of other types are skipped.
 * Never reads outside its range: malformed input sets `failed` and ends the walk.
 * Messages are byte strings, so content is cut out without a conversion.
 */
export class ProtobufReader {
  /** The byte string that the message is a part of. */
  readonly source: string;
  /** The first byte behind the message. */
  readonly end: i32;
  /** Number of the field at hand. */
  field: i32 = 0;
  /** Its wire type. */
  type: i32 = 0;
  /** First byte of its content. */
  start: i32 = 0;
  /** The first byte behind its content. */
  stop: i32 = 0;
  /** True once the message has turned out to be malformed. */
  failed: boolean = false;
  private at: i32;

  /** The message is `source[start, end)`, a part of a byte string. */
  constructor(source: string, start: i32, end: i32) {
    this.source = source;
    this.at = start;
    this.end = end;
  }

  /** Goes to the next field; false: there is none, or the message is malformed. */
  next(): boolean {
    if (this.failed || this.at >= this.end) return false;
    const tag: i32 = this.varint();
    this.field = tag >> 3;
    this.type = tag & 7;
    if (tag < 0 || this.field === 0) return this.fail();
    if (this.type === BYTES) return this.content();
    if (this.type === VARINT) return this.skipVarint();
    if (this.type === FIXED64) return this.skip(8);
    return this.type === FIXED32 ? this.skip(4) : this.fail();
  }

  private content(): boolean {
    const size: i32 = this.varint();
    if (size < 0) return this.fail();
    this.start = this.at;
    if (!this.skip(size)) return false;
    this.stop = this.at;
    return true;
  }

  private skip(size: i32): boolean {
    if (size > this.end - this.at) return this.fail();
    this.at += size;
    return true;
  }

  private skipVarint(): boolean {
    for (let i: i32 = 0; i < 10 && this.at < this.end; i++) {
      const byte: i32 = this.source.charCodeAt(this.at);
      this.at++;
      if (byte < 0x80) return true;
    }
    return this.fail();
  }

  /** A tag or a length: −1 if it is malformed or does not fit in 31 bits. */
  private varint(): i32 {
    let value: i32 = 0;
    for (let shift: i32 = 0; shift < 35 && this.at < this.end; shift += 7) {
      const byte: i32 = this.source.charCodeAt(this.at);
      this.at++;
      if (shift === 28 && byte > 7) return -1;
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    return -1;
  }

  private fail(): boolean {
    this.failed = true;
    return false;
  }
}

/** Builds a protobuf message of length-delimited fields. Content is a byte string. */
export class ProtobufWriter {
  private content: string = "";

  /** A string, bytes or embedded-message field. */
  addBytes(field: i32, content: string): void {
    this.content += varintText((field << 3) | BYTES) + varintText(content.length) + content;
  }

  /** The message so far, as a byte string. */
  finish(): string {
    return this.content;
  }
}

function varintText(value: i32): string {
  let rest: i32 = value;
  let text = "";
  while (rest > 0x7f) {
    text += String.fromCharCode((rest & 0x7f) | 0x80);
    rest >>= 7;
  }
  return text + String.fromCharCode(rest);
}
