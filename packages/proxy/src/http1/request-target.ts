import { hasPort, validHost } from "./host.ts";
import { equalsBytes, equalsFolded, SLASH } from "./octets.ts";

const ASTERISK = 0x2a;
const QUESTION_MARK = 0x3f;

/** The four forms of a request target (RFC 9112 §3.2), as ranges of the bytes it was read from. */
export class RequestTarget {
  /** Methods that change what a message means. */
  kind: "head" | "connect" | "options" | "other" = "other";
  /** Of an absolute-form, else "". */
  scheme: "" | "http" | "https" = "";
  /** Of an absolute-form or of CONNECT: it overrules `host`. Else empty. */
  authorityStart = 0;
  authorityEnd = 0;
  pathStart = 0;
  pathEnd = 0;
  /** What an absolute-form without a path lacks in front of its query: "/", or "*" for OPTIONS. */
  emptyPathPrefix: "" | "/" | "*" = "";

  /** The target begins one space after the method. False when it has none of the forms. */
  read(buffer: Buffer, methodStart: number, methodEnd: number, end: number): boolean {
    const start = methodEnd + 1;
    this.kind = methodKind(buffer, methodStart, methodEnd);
    this.scheme = "";
    this.authorityStart = 0;
    this.authorityEnd = 0;
    this.pathStart = start;
    this.pathEnd = end;
    this.emptyPathPrefix = "";
    if (this.kind === "connect") return this.#readAuthority(buffer, start, end);
    if (buffer[start] === SLASH) return true;
    if (buffer[start] === ASTERISK) return end === start + 1 && this.kind === "options";
    return this.#readAbsolute(buffer, start, end);
  }

  #readAuthority(buffer: Buffer, start: number, end: number): boolean {
    this.pathEnd = start;
    this.authorityStart = start;
    this.authorityEnd = end;
    return validHost(buffer, start, end) && hasPort(buffer, start, end);
  }

  #readAbsolute(buffer: Buffer, start: number, end: number): boolean {
    const secure = end - start > 8 && equalsFolded(buffer, start, start + 5, "https");
    const schemeEnd = start + (secure ? 5 : 4);
    if (!secure && (end - start <= 7 || !equalsFolded(buffer, start, schemeEnd, "http"))) return false;
    if (!equalsBytes(buffer, schemeEnd, schemeEnd + 3, "://")) return false;
    this.scheme = secure ? "https" : "http";
    this.authorityStart = schemeEnd + 3;
    let pos = this.authorityStart;
    while (pos < end && buffer[pos] !== SLASH && buffer[pos] !== QUESTION_MARK) pos++;
    this.authorityEnd = pos;
    this.pathStart = pos;
    if (pos === end) this.emptyPathPrefix = this.kind === "options" ? "*" : "/";
    else if (buffer[pos] === QUESTION_MARK) this.emptyPathPrefix = "/";
    return validHost(buffer, this.authorityStart, this.authorityEnd);
  }
}

function methodKind(buffer: Buffer, start: number, end: number): RequestTarget["kind"] {
  const length = end - start;
  if (length === 4 && equalsBytes(buffer, start, end, "HEAD")) return "head";
  if (length !== 7) return "other";
  if (equalsBytes(buffer, start, end, "CONNECT")) return "connect";
  return equalsBytes(buffer, start, end, "OPTIONS") ? "options" : "other";
}
