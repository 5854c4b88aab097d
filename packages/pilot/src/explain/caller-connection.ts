import { clusterPolicy } from "../generators/clusters/cluster-policy.ts";
import { takesMeshTls } from "../generators/endpoints.ts";
import { from, type Provenance } from "../generators/generated.ts";
import type { GeneratorInput } from "../generators/generator-input.ts";
import { hasIdentity } from "../generators/tls/mesh-identity.ts";
import { notAutomatic } from "../generators/tls/upstream-tls.ts";
import type { ServiceTarget } from "../model/push-context.ts";
import { isVisibleTo } from "../model/visibility.ts";

/** How a caller's proxy speaks to a port of another workload. */
export interface CallerConnection {
  readonly speaks: "plaintext" | "mutual-tls" | "tls";
  /** The reason in words, to be followed by `, by <place>`; empty where the question itself says it. */
  readonly why: string;
  readonly place: Provenance | null;
  /** Why the caller ends its connection before it has sent anything; null where it does not. */
  readonly fails: string | null;
}

/** The two ends of a connection, each as the generators see it. */
export interface Ends {
  readonly caller: GeneratorInput;
  readonly callee: GeneratorInput;
  /** Number that the callee listens on. */
  readonly port: number;
  /** Of the DestinationRule, as routes choose it; empty: none. */
  readonly subset: string;
  readonly identityOfCallee: string;
}

/**
 * Decides as the cluster that the caller gets decides: the DestinationRule's TLS first, else the mesh's where both
 * ends can [control-plane §6.4, §7.6].
 */
export function callerConnection(ends: Ends): CallerConnection {
  const { caller, callee, port } = ends;
  const { push, proxy } = caller;
  const targets = targetsAt(callee, port);
  const target = targets.find((one) => knows(caller, one));
  if (target === undefined) return unknownTarget(caller, targets);
  const { service } = target;
  const labels = push.labelsOf(proxy);
  const rule = push.destinationRule(proxy.namespace, labels, service.hostname);
  const { tls, subsetLabels } = clusterPolicy(rule, target.port.port, ends.subset);
  const place = from(rule?.configs.find(({ spec }) => spec.trafficPolicy !== undefined) ?? rule?.configs[0])[0] ?? null;
  switch (tls?.mode) {
    case undefined: {
      const refusal = notAutomatic(caller, service);
      if (refusal !== null) return plaintext(`The caller's proxy speaks plaintext: ${refusal.why}`, refusal.place);
      if (!calleeTakesMeshTls(ends, target, subsetLabels))
        return plaintext("The caller's proxy speaks plaintext: the called workload takes no TLS of the mesh", null);
      return meshTls("Both ends have certificates of the mesh, so the caller's proxy speaks mutual TLS", null, null);
    }
    case "DISABLE":
      return plaintext("The caller's proxy speaks plaintext", place);
    case "ISTIO_MUTUAL":
      return meshTls("The caller's proxy speaks mutual TLS of the mesh", place, failure(ends, tls.subjectAltNames));
    default:
      return { speaks: "tls", why: "The caller's proxy speaks TLS that is not the mesh's", place, fails: null };
  }
}

function plaintext(why: string, place: Provenance | null): CallerConnection {
  return { speaks: "plaintext", why, place, fails: null };
}

function meshTls(why: string, place: Provenance | null, fails: string | null): CallerConnection {
  return { speaks: "mutual-tls", why, place, fails };
}

/** The service ports that lead to a port of the workload, oldest service first. */
function targetsAt({ push, proxy }: GeneratorInput, port: number): ServiceTarget[] {
  const hasIngress = proxy.type === "sidecar" && push.sidecarScope(proxy).ingress !== undefined;
  return push
    .serviceTargets(proxy)
    .filter((target) => target.targetPort === port || (hasIngress && target.port.port === port));
}

function knows({ push, proxy }: GeneratorInput, { service, port }: ServiceTarget): boolean {
  if (proxy.type === "router") return isVisibleTo(service.visibility, proxy.namespace);
  const found = push.sidecarScope(proxy).services.find(({ key }) => key === service.key);
  return found?.ports.some((one) => one.port === port.port) === true;
}

/** Past its proxy, or through it unread, goes what the application itself speaks. */
function unknownTarget({ push, proxy }: GeneratorInput, [first]: readonly ServiceTarget[]): CallerConnection {
  if (first === undefined) return plaintext("No service leads to this port, so it is called in plaintext", null);
  const { config } = push.sidecarScope(proxy);
  const { hostname } = first.service;
  const why = `The caller's proxy does not know ${hostname}, so it can be called in plaintext only`;
  return plaintext(why, from(config)[0] ?? null);
}

function calleeTakesMeshTls(
  { callee, port }: Ends,
  { service, port: servicePort }: ServiceTarget,
  subset: Readonly<Record<string, string>>,
): boolean {
  const { push, proxy } = callee;
  const endpoint = push
    .endpoints(service.key, servicePort.port, subset)
    .find((one) => one.port === port && proxy.ipAddresses.includes(one.address));
  return endpoint === undefined ? hasIdentity(push, proxy) : takesMeshTls(callee)(endpoint);
}

/** Mutual TLS that a rule asks for, whatever the two ends can. */
function failure({ caller, callee, identityOfCallee }: Ends, names: readonly string[]): string | null {
  if (caller.mutualTls !== true || !hasIdentity(caller.push, caller.proxy))
    return "The caller has no certificate of the mesh to show.";
  if (!hasIdentity(callee.push, callee.proxy)) return "The called workload has no certificate of the mesh to show.";
  if (names.length === 0 || names.includes(identityOfCallee)) return null;
  return `The caller wants to see ${names.join(" or ")}, and the called workload is ${identityOfCallee}.`;
}
