import { COLON, HEX, HOST } from "./octets.ts";

const LEFT_BRACKET = 0x5b;
const RIGHT_BRACKET = 0x5d;
const DOT = 0x2e;
const MAX_PORT = 65535;

/** True for `name`, `name:port`, `[ipv6]` and `[ipv6]:port` with nothing left out. */
export function validHost(buffer: Buffer, start: number, end: number): boolean {
  if (start >= end) return false;
  const nameEnd = buffer[start] === LEFT_BRACKET ? literalEnd(buffer, start, end) : registeredEnd(buffer, start, end);
  if (nameEnd <= start) return false;
  return nameEnd === end || validPort(buffer, nameEnd, end);
}

/** True when the host ends with a port, as the target of CONNECT must. */
export function hasPort(buffer: Buffer, start: number, end: number): boolean {
  const colon = buffer.lastIndexOf(COLON, end - 1);
  return colon >= start && buffer.lastIndexOf(RIGHT_BRACKET, end - 1) < colon;
}

function registeredEnd(buffer: Buffer, start: number, end: number): number {
  let pos = start;
  while (pos < end && buffer[pos] !== COLON) {
    const byte = buffer[pos] as number;
    if (HOST[byte] === 0 || byte === LEFT_BRACKET || byte === RIGHT_BRACKET) return -1;
    pos++;
  }
  return pos;
}

function literalEnd(buffer: Buffer, start: number, end: number): number {
  let pos = start + 1;
  while (pos < end && buffer[pos] !== RIGHT_BRACKET) {
    const byte = buffer[pos] as number;
    if (HEX[byte] === 0 && byte !== COLON && byte !== DOT) return -1;
    pos++;
  }
  return pos === end || pos < start + 3 ? -1 : pos + 1;
}

function validPort(buffer: Buffer, colon: number, end: number): boolean {
  if (buffer[colon] !== COLON || end - colon < 2 || end - colon > 6) return false;
  let port = 0;
  for (let pos = colon + 1; pos < end; pos++) {
    const digit = (buffer[pos] as number) - 0x30;
    if (digit < 0 || digit > 9) return false;
    port = port * 10 + digit;
  }
  return port <= MAX_PORT;
}
