import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { TrafficRequest } from "@mixerless/pilot/testing";
import type { MeshIdentities } from "./mesh-identities.ts";

/** Connects to a listener, by TLS where the case says so. Null: the listener did not let it in. */
export async function dial(
  { ip, port }: { ip: string; port: number },
  wanted: TrafficRequest["tls"],
  mesh: MeshIdentities,
): Promise<Socket | null> {
  const raw = connect({ host: ip, port, allowHalfOpen: true });
  raw.on("error", () => {});
  if (!(await opened(raw, "connect"))) return null;
  if (wanted === undefined) return raw;
  const { as, offer = [], sni } = wanted;
  const own =
    as === undefined ? {} : await mesh.of(as.includes("/") ? as : `spiffe://cluster.local/ns/default/sa/${as}`);
  const socket = connectTls({
    socket: raw,
    ...own,
    rejectUnauthorized: false,
    ...(offer.length === 0 ? {} : { ALPNProtocols: [...offer] }),
    ...(sni === undefined ? {} : { servername: sni }),
  });
  socket.on("error", () => {});
  return (await opened(socket, "secureConnect")) ? socket : null;
}

async function opened(socket: Socket, event: "connect" | "secureConnect"): Promise<boolean> {
  const closed = once(socket, "close").then(() => false);
  return Promise.race([once(socket, event).then(() => true), closed]).catch(() => false);
}
