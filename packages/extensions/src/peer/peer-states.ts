/** Filter-state entries that the metadata exchange writes and that everything else reads. */
export const DOWNSTREAM_PEER: string = "downstream_peer";
export const UPSTREAM_PEER: string = "upstream_peer";
export const DOWNSTREAM_PEER_ID: string = "downstream_peer_id";
export const UPSTREAM_PEER_ID: string = "upstream_peer_id";
/** Present: discovery has ended without a peer, so nothing needs to wait for one. */
export const PEER_NOT_FOUND: string = "peer_not_found";
