import { formatSpiffeId } from "@mixerless/identity";
import { type DemoWorkload, GATEWAY, serviceAccountOf, WORKLOADS } from "./workloads.ts";

/** Who may call whom: everybody, or exactly those whose calls the application needs. */
export type AuthzChoice = "none" | "bookinfo";

const SECURITY = "security.istio.io/v1";
const NAMESPACE = "default";

/** Nobody may do anything but what the others say: each application answers its own callers, by what they ask for. */
export function authorizationPolicies(trustDomain: string): object[] {
  const callersOf = (app: string) => WORKLOADS.filter(({ calls }) => calls.includes(app));
  const gateway = WORKLOADS.filter(({ name }) => name === GATEWAY);
  return [
    policy("allow-nothing", {}),
    allow("productpage", trustDomain, gateway, ["GET", "POST"]),
    ...["details", "reviews", "ratings"].map((app) => allow(app, trustDomain, callersOf(app), ["GET"])),
  ];
}

function allow(app: string, trustDomain: string, callers: readonly DemoWorkload[], methods: string[]): object {
  const principals = callers.map((caller) => principal(trustDomain, caller));
  return policy(`${app}-viewer`, {
    selector: { matchLabels: { app } },
    action: "ALLOW",
    rules: [{ from: [{ source: { principals: [...new Set(principals)] } }], to: [{ operation: { methods } }] }],
  });
}

/** Policies leave the scheme out. */
function principal(trustDomain: string, workload: DemoWorkload): string {
  const serviceAccount = serviceAccountOf(workload);
  return formatSpiffeId({ trustDomain, namespace: workload.namespace, serviceAccount }).replace("spiffe://", "");
}

function policy(name: string, spec: object): object {
  return { apiVersion: SECURITY, kind: "AuthorizationPolicy", metadata: { name, namespace: NAMESPACE }, spec };
}
