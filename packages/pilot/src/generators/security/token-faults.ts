import { KeySet } from "@mixerless/identity/jwt";
import type { ConfigObject } from "../../config/config-object.ts";
import type { Fault } from "../../config/fault.ts";
import type { JwtRule } from "../../config/kinds/security.ts";
import { objectLabel } from "../../config/read-config.ts";
import { keySetSource } from "../../key-sets/key-set-source.ts";
import type { PushContext } from "../../model/push-context.ts";
import { isHeaderName } from "./request-authentication.ts";

type RequestAuthentication = ConfigObject<"RequestAuthentication">;

/** What of the token rules in use cannot be had as written. `problem` says why there are no keys, or no fresher, behind a URL. */
export function tokenFaults(push: PushContext, problem: (url: string) => string | null): Fault[] {
  return push
    .configs("RequestAuthentication")
    .flatMap((config) =>
      config.spec.jwtRules.flatMap((rule, i) => [
        ...keyFaults(config, rule, `spec.jwtRules[${i}]`, push, problem),
        ...headerFaults(config, rule, `spec.jwtRules[${i}]`),
      ]),
    );
}

function keyFaults(
  config: RequestAuthentication,
  rule: JwtRule,
  path: string,
  push: PushContext,
  problem: (url: string) => string | null,
): Fault[] {
  const source = keySetSource(rule);
  if (source === null) {
    const keys = KeySet.read(rule.jwks);
    if (typeof keys !== "string") return [];
    return [
      {
        ...placeOf(config, `${path}.jwks`),
        code: "no-key-set",
        severity: "warning",
        message: `No token can be verified: ${keys}. Every token of this issuer is refused.`,
        cure: "Write the public keys of the issuer as a JSON Web Key Set.",
      },
    ];
  }
  const reason = problem(source.url);
  if (reason === null) return [];
  const old = push.keySet(source.url) !== undefined;
  return [
    {
      ...placeOf(config, source.discovery ? `${path}.issuer` : `${path}.jwksUri`),
      code: "no-key-set",
      severity: "warning",
      message: old
        ? `The keys behind ${source.url} cannot be refreshed: ${reason}. Those fetched before stay in use.`
        : `The keys behind ${source.url} cannot be had: ${reason}. Every token of this issuer is refused.`,
      cure: "Check that this control plane reaches the address, or write the keys into jwks.",
    },
  ];
}

function headerFaults(config: RequestAuthentication, rule: JwtRule, path: string): Fault[] {
  const names = [
    ...rule.fromHeaders.map(({ name }, i) => [`${path}.fromHeaders[${i}].name`, name] as const),
    ...(rule.outputPayloadToHeader === ""
      ? []
      : [[`${path}.outputPayloadToHeader`, rule.outputPayloadToHeader] as const]),
  ];
  return names
    .filter(([, name]) => !isHeaderName(name))
    .map(([at, name]) => ({
      ...placeOf(config, at),
      code: "no-header-name",
      severity: "warning" as const,
      message: `${JSON.stringify(name)} can be the name of no header. It is left out.`,
      cure: "Correct the name.",
    }));
}

function placeOf(config: RequestAuthentication, path: string) {
  const { file, line, column } = config.originOf(path);
  return { object: objectLabel(config.kind, config.namespace, config.name), path, file, line, column };
}
