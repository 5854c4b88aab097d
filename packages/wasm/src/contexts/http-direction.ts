import type { HeaderFields } from "../vm/stream-host.ts";
import { FlowBuffer } from "./guest-buffer.ts";

/** The state of one direction of an HTTP stream. */
export class HttpDirection {
  readonly headersMap: number;
  readonly trailersMap: number;
  readonly body = new FlowBuffer();
  /** The maps that host calls reach [proxy-wasm §6.3]. */
  headers: HeaderFields | null = null;
  trailers: HeaderFields | null = null;
  /** The body can be read and changed. */
  bodyOpen = false;
  /** The callback at hand is that of the body's last piece. */
  atEnd = false;
  /** The plugin holds this direction back. */
  paused = false;
  /** A callback of this direction executes, or what it has put off is being done. */
  running = false;
  /** Meanwhile the plugin has asked to go on. */
  resumed = false;
  /** Meanwhile it has sent a local reply. */
  replied = false;
  /** The plugin's headers callback has been passed over, so none of this direction's callbacks comes. */
  skipped = false;

  constructor(headersMap: number, trailersMap: number) {
    this.headersMap = headersMap;
    this.trailersMap = trailersMap;
  }

  begin(): void {
    this.running = true;
    this.resumed = false;
    this.replied = false;
  }

  map(type: number): HeaderFields | null {
    if (type === this.headersMap) return this.headers;
    return type === this.trailersMap ? this.trailers : null;
  }
}
