/** What a ClientHello asks for. */
export interface ClientHello {
  /** SNI in lower case; null when none was sent. */
  readonly serverName: string | null;
  /** ALPN, in the client's order. */
  readonly applicationProtocols: readonly string[];
}

/**
 * What the first bytes of a connection are: a ClientHello; not TLS at all; too few to tell; or TLS that no
 * client sends.
 */
export type Inspection =
  | { readonly kind: "tls"; readonly hello: ClientHello }
  | { readonly kind: "plaintext" | "incomplete" | "malformed" };

/** A hello of any honest client fits; Envoy reads no more either. */
export const MAX_CLIENT_HELLO = 16 * 1024;
/** With the headers of records as small as they may be for that. */
const MAX_BYTES = 8 * MAX_CLIENT_HELLO;

const PLAINTEXT: Inspection = { kind: "plaintext" };
const INCOMPLETE: Inspection = { kind: "incomplete" };
const MALFORMED: Inspection = { kind: "malformed" };

const HANDSHAKE_RECORD = 22;
const RECORD_HEADER = 5;
const MAX_RECORD = 16_384;
const MAJOR_VERSION = 3;
const CLIENT_HELLO = 1;
const MESSAGE_HEADER = 4;
const RANDOM = 32;
const SERVER_NAME = 0;
const ALPN = 16;
const HOST_NAME = 0;

/**
 * Looks at the bytes that a client sends first (RFC 8446 §4.1.2, §5.1), piece by piece. Every byte is looked
 * at once, so a client that sends its hello byte by byte costs no more than another.
 */
export class ClientHelloInspector {
  #seen = 0;
  /** Header of the record that is being read. */
  readonly #header = Buffer.alloc(RECORD_HEADER);
  #headerBytes = 0;
  #leftInRecord = 0;
  /** The handshake message as far as it has come; it may be spread over several records. */
  #message = Buffer.alloc(MESSAGE_HEADER);
  #messageBytes = 0;

  /** What is known after these bytes, which follow those of earlier calls. */
  push(bytes: Buffer): Inspection {
    for (let at = 0; at < bytes.length; ) {
      if (this.#leftInRecord === 0) {
        const verdict = this.#headerByte(bytes[at++] as number);
        if (verdict !== null) return verdict;
        continue;
      }
      const length = Math.min(this.#leftInRecord, bytes.length - at, this.#message.length - this.#messageBytes);
      bytes.copy(this.#message, this.#messageBytes, at, at + length);
      at += length;
      this.#leftInRecord -= length;
      this.#messageBytes += length;
      if (this.#messageBytes < this.#message.length) continue;
      if (this.#message.length > MESSAGE_HEADER) return helloOf(this.#message.subarray(MESSAGE_HEADER));
      if (!this.#growMessage()) return MALFORMED;
    }
    this.#seen += bytes.length;
    return this.#seen > MAX_BYTES ? MALFORMED : INCOMPLETE;
  }

  /** A verdict that this byte of a record's header brings, or null. */
  #headerByte(byte: number): Inspection | null {
    const place = this.#headerBytes++;
    this.#header[place] = byte;
    // Only the first record can still turn out to be something else.
    const other = this.#messageBytes === 0 ? PLAINTEXT : MALFORMED;
    if (place === 0 && byte !== HANDSHAKE_RECORD) return other;
    if (place === 1 && byte !== MAJOR_VERSION) return other;
    if (this.#headerBytes < RECORD_HEADER) return null;
    this.#headerBytes = 0;
    this.#leftInRecord = this.#header.readUInt16BE(3);
    return this.#leftInRecord === 0 || this.#leftInRecord > MAX_RECORD ? MALFORMED : null;
  }

  /** Makes room for the message whose header is known. */
  #growMessage(): boolean {
    const header = this.#message;
    const length = header.readUIntBE(1, 3);
    if (header[0] !== CLIENT_HELLO || length === 0 || length > MAX_CLIENT_HELLO) return false;
    this.#message = Buffer.alloc(MESSAGE_HEADER + length);
    header.copy(this.#message);
    return true;
  }
}

function helloOf(message: Buffer): Inspection {
  try {
    return { kind: "tls", hello: readHello(new Reader(message)) };
  } catch (error) {
    if (error instanceof OutOfBytes) return MALFORMED;
    throw error;
  }
}

function readHello(reader: Reader): ClientHello {
  reader.skip(2 + RANDOM);
  reader.skip(reader.byte());
  reader.skip(reader.short());
  reader.skip(reader.byte());
  let serverName: string | null = null;
  let applicationProtocols: readonly string[] = [];
  if (reader.left > 0) {
    const extensions = reader.part(reader.short());
    while (extensions.left > 0) {
      const type = extensions.short();
      const body = extensions.part(extensions.short());
      if (type === SERVER_NAME) serverName = readServerName(body);
      else if (type === ALPN) applicationProtocols = readProtocols(body);
    }
  }
  return { serverName, applicationProtocols };
}

function readServerName(body: Reader): string | null {
  if (body.left === 0) return null;
  const list = body.part(body.short());
  while (list.left > 0) {
    const type = list.byte();
    const name = list.part(list.short()).text();
    if (type === HOST_NAME) return name.toLowerCase();
  }
  return null;
}

function readProtocols(body: Reader): string[] {
  const list = body.part(body.short());
  const protocols: string[] = [];
  while (list.left > 0) protocols.push(list.part(list.byte()).text());
  return protocols;
}

class OutOfBytes extends Error {}

class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  byte(): number {
    this.skip(1);
    return this.#bytes[this.#at - 1] as number;
  }

  short(): number {
    this.skip(2);
    return this.#bytes.readUInt16BE(this.#at - 2);
  }

  part(length: number): Reader {
    this.skip(length);
    return new Reader(this.#bytes.subarray(this.#at - length, this.#at));
  }

  skip(length: number): void {
    if (length > this.left) throw new OutOfBytes();
    this.#at += length;
  }

  text(): string {
    return this.#bytes.toString("latin1");
  }
}
