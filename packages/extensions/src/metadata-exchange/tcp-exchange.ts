import { Property, RootContext, RootHandle, StreamContext, StreamHandle } from "@mixerless/sdk";
import { member, readConfiguration, texts } from "../configuration.ts";
import { readPeer } from "../peer/peer.ts";
import { falseClaim } from "../peer/peer-claims.ts";
import { REFUSED } from "./filter.ts";
import { ownMetadata } from "./own-metadata.ts";
import { encodeFrame, FrameReader } from "./tcp-frame.ts";

const NAME: string = "metadata_exchange";

/** What a host that moves the bytes of TCP connections itself needs of the exchange: frames to write, frames to read. */
export class TcpFrames {
  /** This proxy's frame, a byte string. */
  own: string = "";
  private readonly root: RootContext;

  constructor(root: RootContext) {
    this.root = root;
  }

  createReader(): FrameReader {
    return new FrameReader();
  }

  /** Whether what a peer says of itself fits its certificate's identity (empty: it has none). Counts what does not. */
  believes(metadata: string, principal: string): boolean {
    const peer = readPeer(metadata);
    if (peer === null) return false;
    const claim = falseClaim(peer, principal);
    if (claim.length === 0) return true;
    this.root.counter(REFUSED, ["claim"], [claim]).add(1);
    return false;
  }
}

/** Metadata exchange at the beginning of TCP connections [telemetry §2.4]. In process only: Wasm never sees it. */
class TcpExchangeRoot extends RootContext {
  readonly frames: TcpFrames;

  constructor(host: RootHandle) {
    super(host);
    this.frames = new TcpFrames(this);
  }

  override onConfigure(configuration: string): boolean {
    const object = readConfiguration(this, NAME, configuration);
    if (object === null) return false;
    const id = this.getString(new Property(["xds", "node", "id"]));
    const metadata = ownMetadata(this, texts(member(object, "additional_labels")));
    this.frames.own = encodeFrame(metadata, id === null ? "" : id);
    return true;
  }

  override createStream(host: StreamHandle): StreamContext {
    return new Bystander(host);
  }
}

class Bystander extends StreamContext {}

/** For in-process hosts: the native filter of the TCP exchange. */
export function createTcpExchange(host: RootHandle): RootContext {
  return new TcpExchangeRoot(host);
}
