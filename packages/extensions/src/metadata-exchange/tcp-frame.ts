import { BYTES, ProtobufReader, ProtobufWriter, toInt } from "@mixerless/sdk";
import { readPeer } from "../peer/peer.ts";

// 0x3D230467, big-endian.
const MAGIC: string = "\x3d\x23\x04\x67";
const HEADER_SIZE: i32 = 8;
const STRUCT_URL: string = "type.googleapis.com/google.protobuf.Struct";
const METADATA_KEY: string = "x-envoy-peer-metadata";
const ID_KEY: string = "x-envoy-peer-metadata-id";

// Fields of google.protobuf.Any, of a Struct, its map entry and a Value.
const ANY_URL: i32 = 1;
const ANY_VALUE: i32 = 2;
const STRUCT_FIELDS: i32 = 1;
const ENTRY_KEY: i32 = 1;
const ENTRY_VALUE: i32 = 2;
const VALUE_STRING: i32 = 3;
const VALUE_STRUCT: i32 = 5;

const MAXIMUM_ID: i32 = 1024;

/** Longest payload that is kept and read, bytes. A longer one is stripped without being stored. */
export const MAXIMUM_PAYLOAD: i32 = 65536;

/** More bytes are needed. */
export const FRAME_WAITING: i32 = 0;
/** A peer was read. */
export const FRAME_FOUND: i32 = 1;
/** The bytes do not begin with a frame: all of them belong to the application (`initial_header_not_found`). */
export const FRAME_ABSENT: i32 = 2;
/** There was a frame, but no peer could be read from it (`header_not_found`). */
export const FRAME_UNREADABLE: i32 = 3;

/** The frame of the TCP metadata exchange, a byte string. `metadata` is a serialised Struct. */
export function encodeFrame(metadata: string, id: string): string {
  const struct = new ProtobufWriter();
  struct.addBytes(STRUCT_FIELDS, entry(METADATA_KEY, VALUE_STRUCT, metadata));
  struct.addBytes(STRUCT_FIELDS, entry(ID_KEY, VALUE_STRING, id));
  const any = new ProtobufWriter();
  any.addBytes(ANY_URL, STRUCT_URL);
  any.addBytes(ANY_VALUE, struct.finish());
  const payload = any.finish();
  return MAGIC + sizeText(payload.length) + payload;
}

/**
 * Takes the peer's frame off the front of a byte stream, whatever pieces it comes in. Holds at most
 * {@link MAXIMUM_PAYLOAD} bytes and a header; the length in the header is never trusted for an allocation.
 */
export class FrameReader {
  state: i32 = FRAME_WAITING;
  /** The peer's metadata as Struct bytes once the state is {@link FRAME_FOUND}. */
  metadata: string = "";
  /** The peer's node id; empty if it sent none or one over 1 KiB. */
  id: string = "";
  private held: string = "";
  /** Bytes of a payload that is too long to be kept and still to come. */
  private skipping: f64 = 0;

  /** Whether all bytes to come are the application's. */
  get complete(): boolean {
    return this.state !== FRAME_WAITING && this.skipping === 0;
  }

  /** Takes the next bytes and gives those that belong to the application. */
  read(bytes: string): string {
    if (this.skipping > 0) return this.skip(bytes);
    if (this.state !== FRAME_WAITING) return bytes;
    this.held += bytes;
    const size: i32 = this.held.length < MAGIC.length ? this.held.length : MAGIC.length;
    if (this.held.substring(0, size) !== MAGIC.substring(0, size)) return this.decide(FRAME_ABSENT, 0);
    if (this.held.length < HEADER_SIZE) return "";
    const length: f64 = sizeAt(this.held, MAGIC.length);
    if (length > MAXIMUM_PAYLOAD) {
      this.skipping = length;
      return this.skip(this.decide(FRAME_UNREADABLE, HEADER_SIZE));
    }
    const end: i32 = HEADER_SIZE + toInt(length);
    if (this.held.length < end) return "";
    return this.decide(this.payload(HEADER_SIZE, end) ? FRAME_FOUND : FRAME_UNREADABLE, end);
  }

  /** The stream has ended: gives what was held while more was awaited. */
  finish(): string {
    return this.state === FRAME_WAITING ? this.decide(FRAME_ABSENT, 0) : "";
  }

  /** Gives what follows the first `taken` bytes. */
  private decide(state: i32, taken: i32): string {
    const rest = this.held.substring(taken);
    this.held = "";
    this.state = state;
    return rest;
  }

  private skip(bytes: string): string {
    const size: f64 = bytes.length;
    if (size <= this.skipping) {
      this.skipping -= size;
      return "";
    }
    const taken: i32 = toInt(this.skipping);
    this.skipping = 0;
    return bytes.substring(taken);
  }

  private payload(start: i32, end: i32): boolean {
    const any = new ProtobufReader(this.held, start, end);
    let isStruct = false;
    let valueStart: i32 = 0;
    let valueStop: i32 = 0;
    while (any.next()) {
      if (any.type !== BYTES) continue;
      if (any.field === ANY_URL) isStruct = this.held.substring(any.start, any.stop) === STRUCT_URL;
      if (any.field === ANY_VALUE) {
        valueStart = any.start;
        valueStop = any.stop;
      }
    }
    if (any.failed || !isStruct) return false;
    return this.struct(valueStart, valueStop) && readPeer(this.metadata) !== null;
  }

  private struct(start: i32, end: i32): boolean {
    const fields = new ProtobufReader(this.held, start, end);
    let found = false;
    while (fields.next()) {
      if (fields.field !== STRUCT_FIELDS || fields.type !== BYTES) continue;
      const pair = new Entry(this.held, fields.start, fields.stop);
      if (pair.failed) return false;
      if (pair.key === METADATA_KEY && pair.kind === VALUE_STRUCT) {
        this.metadata = pair.content;
        found = true;
      }
      if (pair.key === ID_KEY && pair.kind === VALUE_STRING && pair.content.length <= MAXIMUM_ID)
        this.id = pair.content;
    }
    return found && !fields.failed;
  }
}

/** One entry of a Struct: its key, the field of its value that is set last, and that field's content. */
class Entry {
  key: string = "";
  kind: i32 = 0;
  content: string = "";
  failed: boolean = false;

  constructor(source: string, start: i32, end: i32) {
    const fields = new ProtobufReader(source, start, end);
    while (fields.next()) {
      if (fields.type !== BYTES) continue;
      if (fields.field === ENTRY_KEY) this.key = source.substring(fields.start, fields.stop);
      if (fields.field === ENTRY_VALUE) this.readValue(source, fields.start, fields.stop);
    }
    if (fields.failed) this.failed = true;
  }

  private readValue(source: string, start: i32, end: i32): void {
    const value = new ProtobufReader(source, start, end);
    while (value.next()) {
      this.kind = value.field;
      this.content = value.type === BYTES ? source.substring(value.start, value.stop) : "";
    }
    if (value.failed) this.failed = true;
  }
}

function entry(key: string, kind: i32, content: string): string {
  const value = new ProtobufWriter();
  value.addBytes(kind, content);
  const writer = new ProtobufWriter();
  writer.addBytes(ENTRY_KEY, key);
  writer.addBytes(ENTRY_VALUE, value.finish());
  return writer.finish();
}

function sizeText(size: i32): string {
  let text = "";
  for (let shift: i32 = 24; shift >= 0; shift -= 8) text += String.fromCharCode((size >> shift) & 0xff);
  return text;
}

/** Up to 2³²: more than an i32 holds. */
function sizeAt(source: string, at: i32): f64 {
  let size: f64 = 0;
  for (let i: i32 = at; i < at + 4; i++) size = size * 256 + source.charCodeAt(i);
  return size;
}
