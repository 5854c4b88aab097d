import type { AccessLogger } from "../../access-log/access-logger.ts";
import type { HttpFilterFactory } from "../http-filter.ts";
import type { RouteTable } from "../routing/route-table.ts";
import type { Network } from "./client-address.ts";
import type { ClientCertificateOptions } from "./client-certificate.ts";
import type { ServerCodecOptions } from "./codec-options.ts";
import type { LocalReplyChange } from "./local-reply-config.ts";
import type { PathOptions } from "./path-normalization.ts";

/** A filter of the chain. `name` is how routes refer to it. */
export interface ConfiguredFilter {
  readonly name: string;
  readonly disabled: boolean;
  readonly factory: HttpFilterFactory;
}

/** How the headers of requests are treated [control-plane §4.6]. */
export interface RequestHeaderOptions {
  readonly useRemoteAddress: boolean;
  readonly trustedHops: number;
  readonly skipXffAppend: boolean;
  readonly appendXForwardedPort: boolean;
  readonly internalNetworks: readonly Network[];
  readonly generateRequestId: boolean;
  readonly preserveExternalRequestId: boolean;
  readonly via: string;
  readonly clientCertificate: ClientCertificateOptions;
  readonly stripPort: "no" | "matching" | "any";
  readonly stripTrailingDot: boolean;
  readonly path: PathOptions;
}

export interface ResponseHeaderOptions {
  readonly serverName: string;
  readonly serverHeader: "overwrite" | "append-if-absent" | "pass-through";
  readonly via: string;
  readonly alwaysSetRequestId: boolean;
}

/** Limits of streams, milliseconds; 0: none. */
export interface StreamTimeouts {
  readonly idle: number;
  readonly request: number;
  readonly maxDuration: number;
}

/** How long a connection may last, and then still waits for a request to tell it; milliseconds. 0: without limit. */
export interface ConnectionDuration {
  readonly max: number;
  readonly drain: number;
}

/** A compiled HttpConnectionManager. Immutable: streams keep the one they began with. */
export interface ManagerConfig {
  readonly statPrefix: string;
  readonly routes: { readonly rds: string } | { readonly inline: RouteTable };
  readonly filters: readonly ConfiguredFilter[];
  /** Which upgrades are let through, by lower-case type. */
  readonly upgrades: ReadonlyMap<string, boolean>;
  readonly accessLogs: readonly AccessLogger[];
  readonly request: RequestHeaderOptions;
  readonly response: ResponseHeaderOptions;
  readonly timeouts: StreamTimeouts;
  readonly duration: ConnectionDuration;
  /** Null: replies of the proxy's own go out as they are. */
  readonly localReply: LocalReplyChange | null;
  readonly proxy100Continue: boolean;
  readonly bufferLimit: number;
  readonly codec: ServerCodecOptions;
}
