import type { PeerFacts, PolicyFacts } from "@mixerless/policy";
import type { HeaderMap } from "../../http/header-map.ts";
import { H, type HeaderName } from "../../http/header-name.ts";
import type { StreamInfo } from "../../stream/stream-info.ts";
import type { TlsInfo } from "../../transport/transport.ts";

/** A stream as policies see it; without headers: a connection. */
export class StreamFacts implements PolicyFacts<HeaderName> {
  readonly path: string;
  readonly #info: StreamInfo;
  readonly #headers: HeaderMap | null;

  constructor(info: StreamInfo, headers: HeaderMap | null) {
    this.#info = info;
    this.#headers = headers;
    this.path = pathOf(headers?.get(H.path) ?? "");
  }

  headers(name: HeaderName): readonly string[] {
    const joined = this.#headers?.get(name) ?? null;
    if (joined === null) return NONE;
    return this.#headers !== null && joined.includes(",") ? linesOf(this.#headers, name) : [joined];
  }

  get destinationIp(): string {
    return this.#info.downstream.localAddress.ip;
  }

  get destinationPort(): number {
    return this.#info.downstream.localAddress.port;
  }

  get directRemoteIp(): string {
    return this.#info.downstream.remoteAddress.ip;
  }

  get remoteIp(): string {
    return this.#info.remoteAddress.ip;
  }

  get requestedServerName(): string {
    return this.#info.downstream.requestedServerName ?? "";
  }

  get peer(): PeerFacts | null {
    return peerOf(this.#info.downstream.tls);
  }

  metadata(filter: string): unknown {
    return this.#info.dynamicMetadata?.[filter];
  }
}

const NONE: readonly string[] = [];

/** The values of the lines, which {@link HeaderMap.get} joins. */
function linesOf(headers: HeaderMap, { text }: HeaderName): string[] {
  const lines: string[] = [];
  headers.forEach((name, value) => {
    if (name.toLowerCase() === text) lines.push(value);
  });
  return lines;
}

/** A path for policies ends where its query or fragment begins. */
function pathOf(target: string): string {
  const end = target.search(/[?#]/);
  return end < 0 ? target : target.slice(0, end);
}

function peerOf(tls: TlsInfo | null): PeerFacts | null {
  if (tls === null || !tls.peerCertificatePresented) return null;
  return { uriSans: tls.uriSanPeer, dnsSans: tls.dnsSanPeer, subject: tls.subjectPeer ?? "" };
}
