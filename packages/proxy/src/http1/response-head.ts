import type { HeaderMap } from "../http/header-map.ts";
import { H } from "../http/header-name.ts";
import { bodyFault } from "./body-fault.ts";
import { Fault, type Http1Fault } from "./fault.ts";
import { type FieldLimits, FieldParser } from "./field-parser.ts";
import { MAX_NOMINATIONS, removeNominatedHeaders } from "./nominated-headers.ts";
import { CR, FIELD_VALUE, LF, SP } from "./octets.ts";

const PREFIX = "HTTP/1.";
/** `HTTP/1.1 200`. */
const STATUS_START = 9;
const STATUS_END = 12;

/** Parses the heads of responses, one at a time; serves all connections of a codec. */
export class ResponseHead {
  readonly fields: FieldParser;
  status = 0;
  minorVersion = 1;
  #statusStart = 0;

  constructor(limits: FieldLimits) {
    this.fields = new FieldParser(limits);
  }

  /** Returns the position after the head, MORE or FAULTY; then `fields.fault` says why. */
  parse(buffer: Buffer, start: number, end: number): number {
    const { fields } = this;
    fields.begin("response", start, 1);
    let pos = this.#line(buffer, start, end);
    if (pos >= 0) pos = fields.parse(buffer, pos, end);
    if (pos < 0) return pos;
    const fault = this.#check();
    return fault === null ? pos : fields.fail(fault);
  }

  /** The headers of the head that was parsed last. `end` is what {@link parse} returned. */
  build(buffer: Buffer, end: number): HeaderMap {
    this.fields.setPseudo(0, H.status.id, this.#statusStart, this.#statusStart + 3);
    const headers = this.fields.build(buffer, end);
    if (this.fields.framing.nominations > 0) removeNominatedHeaders(headers);
    return headers;
  }

  #line(buffer: Buffer, start: number, end: number): number {
    const { fields } = this;
    const stop = fields.stop(end);
    let pos = start;
    while (pos < stop && pos - start < STATUS_END && lineByte(buffer[pos] as number, pos - start)) pos++;
    if (pos === stop) return fields.runsOut(end);
    if (pos - start < STATUS_END) return fields.fail(Fault.invalidStatusLine);
    // The space before an empty reason is often left out, and harmless.
    if (buffer[pos] !== SP && buffer[pos] !== CR) return fields.fail(Fault.invalidStatusLine);
    while (pos < stop && FIELD_VALUE[buffer[pos] as number] === 1) pos++;
    if (pos === stop || (pos + 1 === stop && buffer[pos] === CR)) return fields.runsOut(end);
    if (buffer[pos] !== CR || buffer[pos + 1] !== LF) return fields.fail(Fault.invalidStatusLine);
    this.minorVersion = (buffer[start + 7] as number) - 0x30;
    this.#statusStart = start + STATUS_START;
    this.status = digits(buffer, this.#statusStart);
    return this.status < 100 || this.status > 599 ? fields.fail(Fault.invalidStatusLine) : pos + 2;
  }

  #check(): Http1Fault | null {
    const { framing } = this.fields;
    if (framing.nominations > MAX_NOMINATIONS) return Fault.tooManyOptions;
    if (this.minorVersion === 0 && framing.transferEncodings > 0) return Fault.encodingInHttp10;
    const fault = bodyFault(framing);
    if (fault !== null) return fault;
    const { status } = this;
    // HTTP/1.0 knows no responses before the final one: others take this for it.
    if (this.minorVersion === 0 && status < 200) return Fault.invalidStatusLine;
    if (status >= 200 && status !== 204) return null;
    // Whoever stops reading here takes it for the final one.
    if (status < 200 && status !== 101 && framing.close) return Fault.closingInformational;
    return framing.transferEncodings > 0 || framing.contentLength > 0 ? Fault.bodyNotAllowed : null;
  }
}

/** True when `byte` may stand at `offset` of `HTTP/1.1 200`. */
function lineByte(byte: number, offset: number): boolean {
  if (offset < PREFIX.length) return byte === PREFIX.charCodeAt(offset);
  if (offset === PREFIX.length) return byte === 0x30 || byte === 0x31;
  if (offset === PREFIX.length + 1) return byte === SP;
  return byte >= 0x30 && byte <= 0x39;
}

function digits(buffer: Buffer, start: number): number {
  let number = 0;
  for (let pos = start; pos < start + 3; pos++) number = number * 10 + (buffer[pos] as number) - 0x30;
  return number;
}
