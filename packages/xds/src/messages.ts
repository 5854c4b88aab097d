import type { Any } from "@bufbuild/protobuf/wkt";
import type { Node } from "@mixerless/wire/envoy/config/core/v3/base";

/*
 * The four messages of the protocol, reduced to the fields that it uses. Envoy's generated messages fit
 * these shapes, so the state machines run without them; only the gRPC edges know the real ones.
 */

/** Why a response was refused: `google.rpc.Status` without details. */
export interface ErrorDetail {
  readonly code: number;
  readonly message: string;
}

export interface SotwRequest {
  readonly typeUrl: string;
  /** The newest version that the client accepted, "" if none. */
  readonly versionInfo: string;
  readonly resourceNames: readonly string[];
  readonly responseNonce: string;
  readonly errorDetail?: ErrorDetail | undefined;
  readonly node?: Node | undefined;
}

export interface SotwResponse {
  typeUrl: string;
  versionInfo: string;
  nonce: string;
  resources: Any[];
}

export interface DeltaRequest {
  readonly typeUrl: string;
  readonly resourceNamesSubscribe: readonly string[];
  readonly resourceNamesUnsubscribe: readonly string[];
  /** Name → version of what the client holds; first request of a type on a stream only. */
  readonly initialResourceVersions: Readonly<Record<string, string>>;
  readonly responseNonce: string;
  readonly errorDetail?: ErrorDetail | undefined;
  readonly node?: Node | undefined;
}

export interface DeltaResource {
  name: string;
  version: string;
  /** Absent in a heartbeat, which extends a TTL and changes nothing. */
  resource?: Any | undefined;
}

export interface DeltaResponse {
  typeUrl: string;
  systemVersionInfo: string;
  nonce: string;
  resources: DeltaResource[];
  removedResources: string[];
}
