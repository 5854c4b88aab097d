import type { ConfigObject } from "../../config/config-object.ts";
import type { Fault } from "../../config/fault.ts";
import { objectLabel } from "../../config/read-config.ts";
import type { ResolvedGateway, ResolvedServer } from "../../model/gateway.ts";
import type { PushContext } from "../../model/push-context.ts";
import { planGateways } from "../listeners/gateway-plan.ts";

/**
 * What of the TLS in the configuration does not come about as written, as far as no single object shows it.
 * `trustDomain` is that of the identities which the authority issues; null without one.
 */
export function tlsFaults(push: PushContext, trustDomain: string | null): Fault[] {
  return [
    ...(trustDomain === null
      ? push.configs("PeerAuthentication").flatMap(withoutAuthority)
      : changedTrustDomain(push, trustDomain)),
    ...leftOut(push).map(serverFault),
    ...push.configs("Gateway").flatMap((config) => missingSecrets(push, config)),
  ];
}

/** Without identities there is nobody whom STRICT could let in, so nothing is asked for; better said than believed. */
function withoutAuthority(config: ConfigObject<"PeerAuthentication">): Fault[] {
  const { mode, portLevelMtls } = config.spec;
  const ports = Object.entries(portLevelMtls).flatMap(([port, ofPort]) =>
    ofPort === "STRICT" ? [`spec.portLevelMtls.${port}`] : [],
  );
  return [...(mode === "STRICT" ? ["spec.mtls.mode"] : []), ...ports].map((path) => ({
    ...placeOf(config, path),
    code: "strict-without-authority",
    severity: "warning",
    message: "No workload has a certificate, because nobody issues any: plaintext is let in all the same.",
    cure: "Start the control plane with an authority.",
  }));
}

/** Everybody's certificates still name the other domain, so endpoints and policies would not know them. */
function changedTrustDomain({ mesh, meshConfig }: PushContext, trustDomain: string): Fault[] {
  if (mesh.trustDomain === trustDomain) return [];
  const place = meshConfig ?? { kind: "MeshConfig" as const, namespace: "", name: "mesh", originOf: nowhere };
  return [
    {
      ...placeOf(place, "spec.trustDomain"),
      code: "trust-domain-changed",
      severity: "error",
      message: `The trust domain is now ${mesh.trustDomain}, but certificates are still issued for ${trustDomain}: nobody is who is expected.`,
      cure: `Set trustDomain back to ${trustDomain}, or start the control plane anew and list ${trustDomain} in trustDomainAliases until all workloads have new certificates.`,
    },
  ];
}

/** A file that is gone. */
function nowhere() {
  return { file: "", line: 0, column: 0 };
}

interface LeftOut {
  readonly gateway: ResolvedGateway;
  readonly server: ResolvedServer;
}

/** Servers that the gateways of one selector cannot have beside each other. */
function leftOut(push: PushContext): LeftOut[] {
  const bySelector = new Map<string, ResolvedGateway[]>();
  for (const gateway of push.allGateways) {
    const key = JSON.stringify(Object.entries(gateway.config.spec.selector).sort());
    bySelector.set(key, [...(bySelector.get(key) ?? []), gateway]);
  }
  return [...bySelector.values()].flatMap((gateways) => {
    const planned = new Set(planGateways(gateways).flatMap(({ servers }) => servers.map(({ server }) => server)));
    return gateways.flatMap((gateway) =>
      gateway.servers
        .filter((server) => !planned.has(server) && !server.bind.startsWith("unix:"))
        .map((server) => ({ gateway, server })),
    );
  });
}

function serverFault({ gateway, server }: LeftOut): Fault {
  return {
    ...placeOf(gateway.config, server.path),
    code: "server-left-out",
    severity: "warning",
    message: `An older server has port ${server.port.number} in a form that this one cannot share, or has its hosts.`,
    cure: "Use another port or address, or hosts that no other server has.",
  };
}

function missingSecrets(push: PushContext, config: ConfigObject<"Gateway">): Fault[] {
  const known = new Set(push.configs("Secret").map(({ name }) => name));
  return config.spec.servers.flatMap(({ tls }, index) =>
    (tls?.credentialNames ?? [])
      .filter((name) => !name.includes("://") && !known.has(name))
      .map((name) => ({
        ...placeOf(config, `spec.servers[${index}].tls`),
        code: "missing-secret",
        severity: "warning" as const,
        message: `There is no Secret ${name}, so the server refuses every connection.`,
        cure: "Add it, of type kubernetes.io/tls, to the namespace of the gateway's workloads.",
      })),
  );
}

function placeOf(config: Pick<ConfigObject, "kind" | "namespace" | "name" | "originOf">, path: string) {
  const { file, line, column } = config.originOf(path);
  return { object: objectLabel(config.kind, config.namespace, config.name), path, file, line, column };
}
