import { socketAddress } from "../../transport/socket-address.ts";
import type { ConnectionInfo, TlsInfo, Transport } from "../../transport/transport.ts";

/** A connection from 10.0.0.9:41000 to 10.0.0.1:8080. */
export function fakeConnectionInfo(tls: TlsInfo | null = null, remote = "10.0.0.9"): ConnectionInfo {
  return {
    id: 7,
    localAddress: socketAddress("10.0.0.1", 8080),
    remoteAddress: socketAddress(remote, 41000),
    tls,
    requestedServerName: null,
  };
}

/** A transport that nobody reads from or writes to: the fake codec stands in for both. */
export function idleTransport(connection: ConnectionInfo): Transport {
  return {
    connection,
    setHandler() {},
    append() {},
    appendLatin1() {},
    flush() {},
    congested: false,
    unsent: 0,
    writable: true,
    pause() {},
    resume() {},
    end() {},
    destroy() {},
    bytesRead: 100,
    bytesWritten: 200,
  };
}
