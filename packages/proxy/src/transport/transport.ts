/**
 * Unsent bytes above which a connection is congested; at half of them it goes on. 0: it never is. Null: as the
 * proxy has it.
 */
export type BufferLimit = number | null;

/** Facts about one connection that never change once it is usable. Addresses are `ip:port` or a pipe path. */
export interface ConnectionInfo {
  /** Unique in the process; `connection.id` of the attribute vocabulary. */
  readonly id: number;
  readonly localAddress: SocketAddress;
  readonly remoteAddress: SocketAddress;
  /** Null on plaintext connections. */
  readonly tls: TlsInfo | null;
  /** Server name that the client asked for, by TLS or as a listener filter read it; null when none was sent. */
  readonly requestedServerName: string | null;
}

export interface SocketAddress {
  readonly ip: string;
  readonly port: number;
  /** As Envoy prints it: `1.2.3.4:80`, `[::1]:80`. */
  readonly text: string;
}

/** What a finished TLS handshake established. Empty lists and nulls where the peer showed nothing. */
export interface TlsInfo {
  readonly version: string;
  readonly alpn: string | null;
  readonly peerCertificatePresented: boolean;
  readonly uriSanPeer: readonly string[];
  readonly dnsSanPeer: readonly string[];
  readonly uriSanLocal: readonly string[];
  readonly subjectPeer: string | null;
  readonly subjectLocal: string | null;
  /** SHA-256 of the peer's certificate in DER, lower-case hexadecimal. */
  readonly fingerprintPeer: string | null;
  /** The peer's certificates in PEM, its own first. Absent where it showed none. Costs time in proportion to their size. */
  readonly peerChain?: () => readonly string[];
}

/** The one listener of a {@link Transport}. Calls never nest: none is made while another runs. */
export interface TransportHandler {
  /** Bytes arrived. `buffer` is shared between connections: it is valid during the call only. */
  onData(buffer: Buffer, start: number, end: number): void;
  /** After {@link Transport.congested} was true: enough has drained to go on sending. */
  onDrain(): void;
  /** The peer will send no more (FIN). Sending is still possible. */
  onEnd(): void;
  /** The last call, made exactly once. `error` is null when both sides ended in order. */
  onClose(error: Error | null): void;
}

/**
 * One ordered, reliable stream of bytes to a peer, plaintext or TLS. Everything that the proxy reads
 * or writes passes through this interface.
 *
 * Writing: `append…` copies into a scratch buffer; all that was appended during one turn of the event
 * loop leaves in a single write after it (or at once by {@link flush}). Copying is what makes it safe
 * to forward from the shared read buffer [performance §5, bug 1].
 */
export interface Transport {
  readonly connection: ConnectionInfo;
  setHandler(handler: TransportHandler): void;

  append(buffer: Buffer, start: number, end: number): void;
  /** Each char is one byte; chars above U+00FF are a caller's bug. */
  appendLatin1(text: string): void;
  flush(): void;

  /** True while more than the high watermark waits to be sent. Stop the source, go on at onDrain. */
  readonly congested: boolean;
  /** Bytes that were appended and that the system has not taken over yet. */
  readonly unsent: number;
  /** False once sending cannot succeed any more: ended, destroyed or errored [performance §5, bug 2]. */
  readonly writable: boolean;

  pause(): void;
  resume(): void;

  /** Sends what was appended, then FIN. */
  end(): void;
  /** Closes at once; what was appended and not yet flushed is lost. `onClose` follows, not nested. */
  destroy(error?: Error): void;

  /** Bytes moved so far, as the kernel saw them (for TLS: of the plaintext). */
  readonly bytesRead: number;
  readonly bytesWritten: number;
}
