import type { AdminAnswer } from "@mixerless/admin-server";
import { findProxy } from "../explain/authorization-question.ts";
import { type RuleInWords, whoCan } from "../explain/who-can.ts";
import type { GeneratorInput } from "../generators/generator-input.ts";
import { jwtRules } from "../generators/security/request-authentication.ts";
import type { PilotSource } from "../push/pilot-source.ts";
import { jsonAnswer, placeOf, securityAnswer } from "./page-answers.ts";

/** `/debug/whocanz`: who may call which port of a proxy, by which rule of which object. */
export function whoCanPage(
  { current, proxies, telemetry, mutualTls }: Pick<PilotSource, "current" | "proxies" | "telemetry" | "mutualTls">,
  query: URLSearchParams,
): AdminAnswer {
  const key = query.get("to") ?? "";
  const proxy = findProxy(key, [...proxies.values()]);
  if (proxy === undefined)
    return jsonAnswer({ error: `No proxy "${key}" is connected. Name one: to=<name>.<namespace>.` }, 404);
  const input: GeneratorInput = { proxy, push: current, telemetry, mutualTls };
  return jsonAnswer({
    proxy: proxy.podKey,
    tokens: jwtRules(current.attached("RequestAuthentication", proxy)).map(({ rule, place }) => ({
      issuer: rule.issuer,
      ...placeOf(place),
    })),
    ports: whoCan(input).map(({ port, security, open, allow, deny }) => ({
      port: port.number,
      protocol: port.http ? "HTTP" : "TCP",
      mtls: securityAnswer(security),
      open,
      allow: allow.map(inWords),
      deny: deny.map(inWords),
    })),
  });
}

function inWords({ place, ...words }: RuleInWords) {
  return { ...words, ...placeOf(place) };
}
