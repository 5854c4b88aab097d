import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import type { DeadlineWheel } from "@mixerless/clock";
import { IncomingSocket } from "../transport/incoming-connection.ts";
import { socketAddress } from "../transport/socket-address.ts";
import type { TransportFactory } from "../transport/transport-factory.ts";
import type { ListenerSocketFactory } from "./listener-socket.ts";

/** Listener sockets of this machine. */
export function createSocketListener(transports: TransportFactory, wheel: DeadlineWheel): ListenerSocketFactory {
  return (address, onConnection) =>
    new Promise((resolve, reject) => {
      const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) =>
        onConnection(new IncomingSocket(socket, transports, wheel)),
      );
      server.once("error", reject);
      server.listen(address.port, address.ip, () => {
        server.off("error", reject);
        // An error after that concerns one connection that was never accepted.
        server.on("error", () => {});
        const bound = server.address() as AddressInfo;
        resolve({ address: socketAddress(bound.address, bound.port), close: () => server.close() });
      });
    });
}
