import type { AdminAnswer } from "@mixerless/admin-server";
import { readQuestion } from "../explain/authorization-question.ts";
import { authorizationVerdict, type FilterVerdict } from "../explain/authorization-verdict.ts";
import type { Provenance } from "../generators/generated.ts";
import type { GeneratorInput } from "../generators/generator-input.ts";
import { authorizationRules } from "../generators/security/authorization-rules.ts";
import { isDryRun } from "../generators/security/dry-run.ts";
import type { ProxyNode } from "../model/proxy-node.ts";
import type { PilotSource } from "../push/pilot-source.ts";

/** `/debug/authorizationz`: what the policies in use say to one call, by which rule of which object. */
export function authorizationPage(
  { current, proxies, telemetry }: Pick<PilotSource, "current" | "proxies" | "telemetry">,
  query: URLSearchParams,
): AdminAnswer {
  const find = (key: string): ProxyNode | undefined =>
    [...proxies.values()].find((proxy) => proxy.podKey === key || proxy.id === key);
  const key = query.get("to") ?? "";
  const proxy = find(key);
  if (proxy === undefined)
    return answer({ error: `No proxy "${key}" is connected. Name one: to=<name>.<namespace>.` }, 404);
  const input: GeneratorInput = { proxy, push: current, telemetry };
  const question = readQuestion(query, input, find);
  if (typeof question === "string") return answer({ error: question }, 400);
  const policies = current.attached("AuthorizationPolicy", proxy);
  const { port, facts, principal } = question;
  const verdict = authorizationVerdict(authorizationRules(policies, current.mesh, port.http ? "http" : "tcp"), facts);
  return answer({
    allowed: verdict.allowed,
    to: { proxy: proxy.podKey, address: facts.destinationIp, port: port.number, protocol: port.http ? "HTTP" : "TCP" },
    from: { address: facts.directRemoteIp, principal },
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

function told({ action, allowed, rule, place }: FilterVerdict) {
  return { action, allowed, rule, ...(place === null ? {} : placeOf(place)) };
}

function placeOf({ config, path }: Provenance) {
  const { file, line } = path === "" ? config.origin : config.originOf(path);
  return { object: `${config.kind} ${config.namespace}/${config.name}`, path, file, line };
}

function answer(value: unknown, status = 200): AdminAnswer {
  return { status, body: `${JSON.stringify(value, null, 2)}\n`, contentType: "application/json" };
}
