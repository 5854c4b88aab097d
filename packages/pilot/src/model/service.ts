import type { ConfigObject } from "../config/config-object.ts";
import type { StringMap } from "../config/kinds/common.ts";
import type { Protocol } from "./protocol.ts";
import type { Visibility } from "./visibility.ts";

/** How endpoints are found (control-plane §4.7). */
export type Resolution =
  /** Kubernetes with a cluster IP, ServiceEntry STATIC: EDS. */
  | "client-side-lb"
  /** ServiceEntry DNS. */
  | "dns-lb"
  | "dns-round-robin"
  /** Headless, ServiceEntry NONE: the original destination. */
  | "passthrough"
  | "dynamic-dns"
  /** Kubernetes ExternalName: no cluster of its own. */
  | "alias";

/** `<namespace>/<hostname>`: what identifies a service in this snapshot. */
export type ServiceKey = string;

export interface ServicePort {
  /** May be empty when the Service has one port only. */
  readonly name: string;
  readonly port: number;
  /** A number, or the name of a container port. */
  readonly targetPort: number | string;
  readonly protocol: Protocol;
}

/** A Kubernetes Service, or one host of a ServiceEntry. */
export interface Service {
  readonly key: ServiceKey;
  /** Lower case, for example `details.default.svc.cluster.local`; may be a wildcard. */
  readonly hostname: string;
  /** What telemetry calls it: the name of the Service object, or the host of a ServiceEntry. */
  readonly name: string;
  readonly namespace: string;
  readonly registry: "kubernetes" | "service-entry";
  readonly ports: readonly ServicePort[];
  readonly resolution: Resolution;
  /** Virtual IPs, or CIDR ranges of a ServiceEntry. Empty: none (bind to the wildcard address). */
  readonly addresses: readonly string[];
  /** No auto mTLS, cluster metadata `external`. */
  readonly meshExternal: boolean;
  readonly headless: boolean;
  /** The target of an alias; empty otherwise. */
  readonly externalName: string;
  readonly selector?: StringMap;
  /** `subjectAltNames` of a ServiceEntry. */
  readonly subjectAltNames: readonly string[];
  readonly publishNotReadyAddresses: boolean;
  readonly visibility: Visibility;
  readonly config: ConfigObject<"Service"> | ConfigObject<"ServiceEntry">;
}
