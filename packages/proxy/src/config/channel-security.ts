import { createSecureContext, type SecureContext } from "node:tls";
import type { Clock } from "@mixerless/clock";
import { readCertificate } from "@mixerless/identity";
import type { Cluster } from "@mixerless/wire/envoy/config/cluster/v3/cluster";
import type { ChannelSecurity } from "@mixerless/xds";
import type { ConfigFault } from "../network/config-fault.ts";
import { ContextHolder } from "../tls/context-holder.ts";
import { sanMatches } from "../tls/peer-check.ts";
import type { SecretSource } from "../tls/secret-store.ts";
import { compileUpstreamSocket } from "../tls/transport-socket.ts";
import { BootstrapError } from "./apply-static.ts";

/** How the control plane's cluster is reached: as its transport socket says. Null: in clear. */
export function channelSecurity(cluster: Cluster, secrets: SecretSource, clock: Clock): ChannelSecurity | null {
  const faults: ConfigFault[] = [];
  const config = compileUpstreamSocket(cluster.transportSocket, "transportSocket", faults);
  if (faults.length > 0) throw new BootstrapError(faults);
  if (config === null) return null;
  const holder = new ContextHolder<SecureContext>(config.tls, secrets, (options) => createSecureContext(options));
  return {
    context: () => {
      const context = holder.get(clock.now());
      return typeof context === "string" ? `its TLS has a ${context.replace("-", " ")}` : context;
    },
    serverName: config.sni,
    checkServer: (certificate) => {
      const { sans } = config.tls;
      const facts = readCertificate(certificate);
      if (sans.length === 0 || sans.some((san) => sanMatches(san, facts))) return null;
      return `the certificate is that of ${[...facts.uriSans, ...facts.dnsSans].join(", ")}, not the control plane's`;
    },
  };
}
