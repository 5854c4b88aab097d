import type { Socket } from "node:net";
import { createServer, type TLSSocket } from "node:tls";
import type { Credentials } from "./mesh-identities.ts";

/** What a client's handshake told an endpoint. */
export interface SeenTls {
  readonly sni: string;
  /** All that was offered, in order. */
  readonly offered: string;
  /** URI of the client's certificate; empty without one. */
  readonly peer: string;
}

/** Does the server's side of a handshake, whatever the client offers; `socket` ends when it fails. */
export function acceptTls(
  socket: Socket,
  credentials: Credentials,
  roots: string,
  onSecured: (secured: TLSSocket, seen: SeenTls) => void,
): void {
  let offered = "";
  const server = createServer({
    ...credentials,
    ca: roots,
    requestCert: true,
    rejectUnauthorized: false,
    ALPNCallback: ({ protocols }) => {
      offered = protocols.join(",");
      return protocols.includes("http/1.1") ? "http/1.1" : protocols[0];
    },
  });
  server.on("tlsClientError", () => socket.destroy());
  server.on("secureConnection", (secured) => {
    const names = secured.getPeerX509Certificate()?.subjectAltName ?? "";
    const sni = typeof secured.servername === "string" ? secured.servername : "";
    onSecured(secured, { sni, offered, peer: names.replace(/^URI:/, "") });
  });
  server.emit("connection", socket);
}
