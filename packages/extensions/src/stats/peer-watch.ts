import { StateName, StreamContext } from "@mixerless/sdk";
import { DOWNSTREAM_PEER, PEER_NOT_FOUND, UPSTREAM_PEER } from "../peer/peer-states.ts";

/** Says whether a stream's peer can still become known: reports before the end wait for that. */
export class PeerWatch {
  private readonly peer: StateName;
  private readonly notFound: StateName = new StateName(PEER_NOT_FOUND);

  /** `upstream`: the reporter is the client. */
  constructor(upstream: boolean) {
    this.peer = new StateName(upstream ? UPSTREAM_PEER : DOWNSTREAM_PEER);
  }

  isSettled(stream: StreamContext): boolean {
    return stream.getState(this.peer) !== null || stream.getState(this.notFound) !== null;
  }
}
