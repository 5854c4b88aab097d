import type { HeaderMap } from "../http/header-map.ts";
import { H } from "../http/header-name.ts";
import { bodyFault } from "./body-fault.ts";
import { Fault, type Http1Fault } from "./fault.ts";
import { type FieldLimits, FieldParser, MORE } from "./field-parser.ts";
import { validHost } from "./host.ts";
import { MAX_NOMINATIONS, removeNominatedHeaders } from "./nominated-headers.ts";
import { CR, LF, SP, TARGET, TOKEN } from "./octets.ts";
import { RequestTarget } from "./request-target.ts";

export interface RequestLimits extends FieldLimits {
  readonly maxRequestLineBytes: number;
  readonly acceptHttp10: boolean;
  /** Authority of HTTP/1.0 requests that name none; null refuses them. */
  readonly defaultHostForHttp10: string | null;
  readonly acceptConnect: boolean;
}

/** The bytes of a method beyond which it is none. */
const MAX_METHOD_BYTES = 64;
const VERSION = "HTTP/1.1";
const VERSION_BYTES = VERSION.length;
/** Lines of the table: `:authority`, `:path`, `:method`, `:scheme`, in Envoy's order. */
const PSEUDO_LINES = 4;

/** Parses the heads of requests, one at a time; serves all connections of a codec. */
export class RequestHead {
  readonly fields: FieldParser;
  readonly #limits: RequestLimits;
  readonly #target = new RequestTarget();
  #methodStart = 0;
  #methodEnd = 0;
  #targetEnd = 0;
  /** How much of the head is known to be well-formed, for the log of a refused request. */
  #targetKnown = false;
  minorVersion = 1;

  constructor(limits: RequestLimits) {
    this.#limits = limits;
    this.fields = new FieldParser(limits);
  }

  /** Returns the position after the head, MORE or FAULTY; then `fields.fault` says why. */
  parse(buffer: Buffer, start: number, end: number): number {
    this.#methodEnd = 0;
    this.#targetKnown = false;
    let pos = start;
    // Some clients end a body with an extra CRLF (RFC 9112 §2.2); more than one is no accident.
    if (pos < end && buffer[pos] === CR) {
      if (pos + 1 === end) return MORE;
      if (buffer[pos + 1] === LF) pos += 2;
    }
    this.fields.begin("request", pos, PSEUDO_LINES);
    pos = this.#line(buffer, pos, end);
    if (pos >= 0) pos = this.fields.parse(buffer, pos, end);
    if (pos < 0) return pos;
    const fault = this.#check(buffer);
    return fault === null ? pos : this.fields.fail(fault);
  }

  get isHead(): boolean {
    return this.#target.kind === "head";
  }

  get isConnect(): boolean {
    return this.#target.kind === "connect";
  }

  /** What is known of a refused head, else null. */
  method(buffer: Buffer): string | null {
    return this.#methodEnd === 0 ? null : buffer.toString("latin1", this.#methodStart, this.#methodEnd);
  }

  path(buffer: Buffer): string | null {
    return this.#targetKnown ? buffer.toString("latin1", this.#methodEnd + 1, this.#targetEnd) : null;
  }

  authority(buffer: Buffer): string | null {
    const { hosts, hostStart, hostEnd } = this.fields.framing;
    return hosts === 0 || !this.#targetKnown ? null : buffer.toString("latin1", hostStart, hostEnd);
  }

  /** The headers of the head that was parsed last. `end` is what {@link parse} returned. */
  build(buffer: Buffer, end: number, secure: boolean): HeaderMap {
    const { fields } = this;
    const target = this.#target;
    fields.setPseudo(2, H.method.id, this.#methodStart, this.#methodEnd);
    if (target.pathEnd > target.pathStart) fields.setPseudo(1, H.path.id, target.pathStart, target.pathEnd);
    if (target.authorityEnd > target.authorityStart) {
      fields.setPseudo(0, H.authority.id, target.authorityStart, target.authorityEnd);
    }
    if (!this.isConnect) fields.setScheme(3, target.scheme === "" ? secure : target.scheme === "https");
    const headers = fields.build(buffer, end);
    if (target.emptyPathPrefix !== "") headers.set(H.path, target.emptyPathPrefix + (headers.get(H.path) ?? ""));
    if (fields.framing.nominations > 0) removeNominatedHeaders(headers);
    if (this.minorVersion === 0 && !headers.has(H.authority) && this.#limits.defaultHostForHttp10 !== null) {
      headers.set(H.authority, this.#limits.defaultHostForHttp10);
    }
    return headers;
  }

  #line(buffer: Buffer, start: number, end: number): number {
    const { fields } = this;
    const stop = Math.min(end, start + this.#limits.maxRequestLineBytes);
    let pos = start;
    while (pos < stop && TOKEN[buffer[pos] as number] !== 0) pos++;
    if (pos - start > MAX_METHOD_BYTES) return fields.fail(Fault.invalidMethod);
    if (pos === stop) return this.#lineRunsOut(start, end);
    if (buffer[pos] !== SP || pos === start) return fields.fail(lineBreak(buffer, pos, Fault.invalidMethod));
    this.#methodStart = start;
    this.#methodEnd = pos;
    const targetStart = ++pos;
    while (pos < stop && TARGET[buffer[pos] as number] === 1) pos++;
    if (pos === stop) return this.#lineRunsOut(start, end);
    if (buffer[pos] === CR && pos > targetStart) return fields.fail(Fault.invalidVersion);
    if (buffer[pos] !== SP || pos === targetStart) return fields.fail(lineBreak(buffer, pos, Fault.invalidTarget));
    this.#targetEnd = pos;
    this.#targetKnown = true;
    return this.#version(buffer, start, pos + 1, stop, end);
  }

  #version(buffer: Buffer, start: number, from: number, stop: number, end: number): number {
    const { fields } = this;
    let pos = from;
    while (pos < stop && pos < from + VERSION_BYTES && versionByte(buffer[pos] as number, pos - from)) pos++;
    if (pos === stop && pos < from + VERSION_BYTES) return this.#lineRunsOut(start, end);
    if (pos < from + VERSION_BYTES) return fields.fail(lineBreak(buffer, pos, Fault.invalidVersion));
    if (pos === stop) return this.#lineRunsOut(start, end);
    if (buffer[pos] !== CR) return fields.fail(lineBreak(buffer, pos, Fault.invalidVersion));
    if (pos + 1 === stop) return this.#lineRunsOut(start, end);
    if (buffer[pos + 1] !== LF) return fields.fail(Fault.bareCr);
    const major = buffer[from + 5];
    this.minorVersion = (buffer[from + 7] as number) - 0x30;
    if (major !== 0x31 || this.minorVersion > 1) return fields.fail(Fault.unsupportedVersion);
    return pos + 2;
  }

  /** The bytes end before the request line does. */
  #lineRunsOut(start: number, end: number): number {
    return end - start >= this.#limits.maxRequestLineBytes ? this.fields.fail(Fault.requestLineTooLong) : MORE;
  }

  #check(buffer: Buffer): Http1Fault | null {
    const { framing } = this.fields;
    const limits = this.#limits;
    if (this.minorVersion === 0 && !limits.acceptHttp10) return Fault.http10Refused;
    if (!this.#target.read(buffer, this.#methodStart, this.#methodEnd, this.#targetEnd)) return Fault.invalidTarget;
    if (this.isConnect && !limits.acceptConnect) return Fault.connectRefused;
    if (framing.hosts > 1) return Fault.duplicateHost;
    if (framing.hosts === 0) {
      if (this.minorVersion > 0 || limits.defaultHostForHttp10 === null) return Fault.missingHost;
    } else if (!validHost(buffer, framing.hostStart, framing.hostEnd)) return Fault.invalidHost;
    if (framing.nominations > MAX_NOMINATIONS) return Fault.tooManyOptions;
    if (this.minorVersion === 0 && framing.transferEncodings > 0) return Fault.encodingInHttp10;
    return bodyFault(framing);
  }
}

/** A line that ends with LF alone is refused as that, wherever it breaks off. */
function lineBreak(buffer: Buffer, pos: number, otherwise: Http1Fault): Http1Fault {
  return buffer[pos] === LF ? Fault.bareLf : otherwise;
}

/** True when `byte` may stand at `offset` of `HTTP/1.1`. */
function versionByte(byte: number, offset: number): boolean {
  if (offset === 5 || offset === 7) return byte >= 0x30 && byte <= 0x39;
  return byte === VERSION.charCodeAt(offset);
}
