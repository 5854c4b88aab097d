import { readDecimal } from "../http/field-value.ts";
import { H } from "../http/header-name.ts";
import { COMMA, equalsFolded, HT, SP } from "./octets.ts";

const CONNECTION = H.connection.id;
const TRANSFER_ENCODING = H.transferEncoding.id;
const CONTENT_LENGTH = H.contentLength.id;
const UPGRADE = H.upgrade.id;

/** What a head says about its connection and its body, noted line by line while it is parsed. */
export class FramingFields {
  hosts = 0;
  hostStart = 0;
  hostEnd = 0;
  contentLengths = 0;
  /** Bytes; -1 when it is no plain decimal below 2^53. */
  contentLength = -1;
  transferEncodings = 0;
  /** The last transfer-encoding is exactly `chunked`. */
  chunked = false;
  upgrades = 0;
  /** The upgrade is one that proxies leave out: h2c, which negotiates HTTP/2 with the next hop only. */
  upgradeToH2c = false;
  /** Options of `connection`. */
  close = false;
  keepAlive = false;
  connectionUpgrade = false;
  /** Further options: the names of headers that are meant for this hop only. */
  nominations = 0;

  clear(): void {
    this.hosts = 0;
    this.contentLengths = 0;
    this.contentLength = -1;
    this.transferEncodings = 0;
    this.chunked = false;
    this.upgrades = 0;
    this.upgradeToH2c = false;
    this.close = false;
    this.keepAlive = false;
    this.connectionUpgrade = false;
    this.nominations = 0;
  }

  noteHost(start: number, end: number): void {
    this.hosts++;
    this.hostStart = start;
    this.hostEnd = end;
  }

  note(id: number, buffer: Buffer, start: number, end: number): void {
    if (id === CONTENT_LENGTH) {
      this.contentLengths++;
      this.contentLength = tabAround(buffer, start, end) ? -1 : readDecimal(buffer, start, end);
    } else if (id === CONNECTION) {
      this.#noteConnection(buffer, start, end);
    } else if (id === TRANSFER_ENCODING) {
      this.transferEncodings++;
      this.chunked = equalsFolded(buffer, start, end, "chunked") && !tabAround(buffer, start, end);
    } else if (id === UPGRADE) {
      this.upgrades++;
      this.upgradeToH2c = equalsFolded(buffer, start, end, "h2c");
    }
  }

  #noteConnection(buffer: Buffer, start: number, end: number): void {
    let pos = start;
    while (pos < end) {
      let comma = buffer.indexOf(COMMA, pos);
      if (comma < 0 || comma > end) comma = end;
      this.#noteOption(buffer, skipSpace(buffer, pos, comma), trimSpace(buffer, pos, comma));
      pos = comma + 1;
    }
  }

  #noteOption(buffer: Buffer, start: number, end: number): void {
    if (start >= end) return;
    if (equalsFolded(buffer, start, end, "keep-alive")) this.keepAlive = true;
    else if (equalsFolded(buffer, start, end, "close")) this.close = true;
    else if (equalsFolded(buffer, start, end, "upgrade")) this.connectionUpgrade = true;
    else this.nominations++;
  }
}

/**
 * True when a tab stands beside the value. RFC 9110 §5.5 allows it, but some parsers take it for a part of
 * the value, and a body must not depend on who reads its head.
 */
function tabAround(buffer: Buffer, start: number, end: number): boolean {
  for (let pos = start - 1; buffer[pos] === SP || buffer[pos] === HT; pos--) if (buffer[pos] === HT) return true;
  for (let pos = end; buffer[pos] === SP || buffer[pos] === HT; pos++) if (buffer[pos] === HT) return true;
  return false;
}

function skipSpace(buffer: Buffer, from: number, end: number): number {
  let pos = from;
  while (pos < end && (buffer[pos] === SP || buffer[pos] === HT)) pos++;
  return pos;
}

function trimSpace(buffer: Buffer, start: number, from: number): number {
  let pos = from;
  while (pos > start && (buffer[pos - 1] === SP || buffer[pos - 1] === HT)) pos--;
  return pos;
}
