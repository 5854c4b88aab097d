import { duration } from "../schema/duration.ts";
import { object, optional, withDefault } from "../schema/object.ts";
import { boolean, checked, int32, oneOf, type Reader, uint32 } from "../schema/reader.ts";
import type { ConnectionPoolSettings, HttpPoolSettings, TcpKeepalive, TcpPoolSettings } from "./destination-rule.ts";

const count: Reader<number> = checked(int32, (value, at) => {
  if (value < 0) at.error("out-of-range", `${value} is negative.`, "Use 0 or more.");
});

export const tcpKeepalive: Reader<TcpKeepalive> = object({
  probes: optional(uint32),
  time: optional(duration()),
  interval: optional(duration()),
});

const tcp: Reader<TcpPoolSettings> = object({
  maxConnections: optional(count),
  connectTimeout: optional(duration()),
  tcpKeepalive: optional(tcpKeepalive),
  maxConnectionDuration: optional(duration()),
  idleTimeout: optional(duration({ zero: true })),
});

const http: Reader<HttpPoolSettings> = checked(
  object({
    http1MaxPendingRequests: optional(count),
    http2MaxRequests: optional(count),
    maxRequestsPerConnection: optional(count),
    maxRetries: optional(count),
    idleTimeout: optional(duration()),
    h2UpgradePolicy: optional(oneOf("DEFAULT", "DO_NOT_UPGRADE", "UPGRADE")),
    useClientProtocol: withDefault(boolean, false),
    maxConcurrentStreams: optional(count),
  }),
  (read, at) => {
    if (read.h2UpgradePolicy !== "UPGRADE" || !read.useClientProtocol) return;
    const message = "useClientProtocol keeps the protocol of the client, h2UpgradePolicy UPGRADE changes it.";
    at.error("contradicting-protocols", message, "Keep one of them.");
  },
);

export const connectionPool: Reader<ConnectionPoolSettings> = checked(
  object({ tcp: optional(tcp), http: optional(http) }),
  (read, at) => {
    if (read.tcp === undefined && read.http === undefined) {
      at.error("empty-settings", "The connection pool has neither tcp nor http.", "Add one, or remove connectionPool.");
    }
  },
);
