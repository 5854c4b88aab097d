import type { AdminAnswer } from "@mixerless/admin-server";
import { findProxy, readQuestion } from "../explain/authorization-question.ts";
import { authorizationVerdict, type FilterVerdict } from "../explain/authorization-verdict.ts";
import type { CallerConnection } from "../explain/caller-connection.ts";
import { portSecurity, refusesConnection } from "../explain/port-security.ts";
import type { TokenVerdict } from "../explain/token-verdict.ts";
import type { GeneratorInput } from "../generators/generator-input.ts";
import { authorizationRules } from "../generators/security/authorization-rules.ts";
import { isDryRun } from "../generators/security/dry-run.ts";
import type { PilotSource } from "../push/pilot-source.ts";
import { jsonAnswer, placeOf, securityAnswer } from "./page-answers.ts";

/** `/debug/authorizationz`: what the policies in use say to one call, by which rule of which object. */
export function authorizationPage(
  { current, proxies, telemetry, mutualTls }: Pick<PilotSource, "current" | "proxies" | "telemetry" | "mutualTls">,
  query: URLSearchParams,
  jwt: string | null,
  now: number,
): AdminAnswer {
  const connected = [...proxies.values()];
  const key = query.get("to") ?? "";
  const proxy = findProxy(key, connected);
  if (proxy === undefined)
    return jsonAnswer({ error: `No proxy "${key}" is connected. Name one: to=<name>.<namespace>.` }, 404);
  const input: GeneratorInput = { proxy, push: current, telemetry, mutualTls };
  const question = readQuestion(query, jwt, input, { proxies: connected, now });
  if (typeof question === "string") return jsonAnswer({ error: question }, 400);
  const policies = current.attached("AuthorizationPolicy", proxy);
  const { port, facts, principal, connection, assumed, token } = question;
  const verdict = authorizationVerdict(authorizationRules(policies, current.mesh, port.http ? "http" : "tcp"), facts);
  const security = portSecurity(input, port.number);
  // A connection that does not come about ends before anything is asked, a token that is refused before any policy.
  const refuses = !assumed && connection.fails === null && refusesConnection(security, connection, port);
  return jsonAnswer({
    allowed: verdict.allowed && token?.outcome !== "refused" && !refuses && connection.fails === null,
    mtls: { ...securityAnswer(security), refuses },
    connection: toldConnection(connection),
    to: { proxy: proxy.podKey, address: facts.destinationIp, port: port.number, protocol: port.http ? "HTTP" : "TCP" },
    from: { address: facts.directRemoteIp, principal },
    token: token && toldToken(token, jwt !== null),
    decisive: verdict.decisive && told(verdict.decisive),
    audit: verdict.audit && told(verdict.audit),
    trials: verdict.trials.map(told),
    policies: policies.map((config) => ({
      ...placeOf({ config, path: "" }),
      action: config.spec.action,
      dryRun: isDryRun(config),
    })),
  });
}

function toldConnection({ place, ...words }: CallerConnection) {
  return { ...words, ...(place === null ? {} : placeOf(place)) };
}

/** Null: no token was brought, and nobody would look for one. */
function toldToken({ outcome, reason, principal, place }: TokenVerdict, brought: boolean) {
  if (outcome === "ignored" && !brought) return null;
  return { outcome, reason, principal, ...(place === null ? {} : placeOf(place)) };
}

function told({ action, allowed, rule, place }: FilterVerdict) {
  return { action, allowed, rule, ...(place === null ? {} : placeOf(place)) };
}
