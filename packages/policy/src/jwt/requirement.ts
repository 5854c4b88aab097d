import type { JwtStatus } from "@mixerless/identity/jwt";
import type { JwtRequirement } from "@mixerless/wire/envoy/extensions/filters/http/jwt_authn/v3/config";
import type { CompileContext } from "../compile-context.ts";
import type { Evaluation } from "./evaluation.ts";
import { type Provider, plainAudience } from "./provider.ts";

/** What tokens a request must bring; null: it does. */
export type Requirement<Key> = (evaluation: Evaluation<Key>) => JwtStatus | null;

export type Providers<Key> = ReadonlyMap<string, Provider<Key>>;

/** Deep enough for anybody, and not for the stack. */
const MOST_LEVELS = 32;

/** Compiles `JwtRequirement` by Envoy's rules. */
export function compileRequirement<Key>(
  message: JwtRequirement,
  providers: Providers<Key>,
  path: string,
  context: Pick<CompileContext<Key>, "faults">,
): Requirement<Key> {
  return compile(message, [...providers.values()], 0, path, { providers, faults: context.faults });
}

interface Scope<Key> extends Pick<CompileContext<Key>, "faults"> {
  readonly providers: Providers<Key>;
}

/** `around`: the providers that a requirement without a provider is about. */
function compile<Key>(
  message: JwtRequirement,
  around: readonly Provider<Key>[],
  level: number,
  path: string,
  scope: Scope<Key>,
): Requirement<Key> {
  const { faults } = scope;
  const { requiresType } = message;
  if (level > MOST_LEVELS) {
    faults.push({ path, message: `is nested deeper than ${MOST_LEVELS} levels` });
    return () => "missing";
  }
  switch (requiresType.case) {
    case "providerName":
      return ofProvider(requiresType.value, null, `${path}.providerName`, scope);
    case "providerAndAudiences": {
      const { providerName, audiences } = requiresType.value;
      return ofProvider(providerName, audiences, `${path}.providerAndAudiences.providerName`, scope);
    }
    case "requiresAny": {
      const { requirements } = requiresType.value;
      const own = ownProviders(requirements, scope.providers);
      const at = (i: number) => `${path}.requiresAny.requirements[${i}]`;
      // What lets requests pass is asked last, whatever its place.
      const ordered = [...requirements.entries()].sort(([, a], [, b]) => Number(isBypass(a)) - Number(isBypass(b)));
      return anyOf(ordered.map(([i, one]) => compile(one, own.length > 0 ? own : around, level + 1, at(i), scope)));
    }
    case "requiresAll": {
      const { requirements } = requiresType.value;
      const at = (i: number) => `${path}.requiresAll.requirements[${i}]`;
      return allOf(requirements.map((one, i) => compile(one, around, level + 1, at(i), scope)));
    }
    case "allowMissing":
      return (evaluation) => {
        const status = evaluation.tokensOf(around, null, null, true);
        return status === "missing" ? null : status;
      };
    case "allowMissingOrFailed":
      return (evaluation) => {
        evaluation.tokensOf(around, null, null, false);
        return null;
      };
    default:
      return () => null;
  }
}

function ofProvider<Key>(
  name: string,
  audiences: readonly string[] | null,
  path: string,
  { providers, faults }: Scope<Key>,
): Requirement<Key> {
  const provider = providers.get(name);
  if (provider === undefined) {
    faults.push({ path, message: `there is no provider "${name}"` });
    return () => "unknown-issuer";
  }
  const allowed = audiences === null ? null : new Set(audiences.map(plainAudience));
  return (evaluation) => evaluation.tokensOf([provider], provider, allowed, true);
}

function isBypass({ requiresType }: JwtRequirement): boolean {
  return requiresType.case === "allowMissing" || requiresType.case === "allowMissingOrFailed";
}

/** The providers that the alternatives name: a bypass beside them is about their tokens only. */
function ownProviders<Key>(requirements: readonly JwtRequirement[], providers: Providers<Key>): Provider<Key>[] {
  const names = requirements.flatMap(({ requiresType }) => {
    if (requiresType.case === "providerName") return [requiresType.value];
    return requiresType.case === "providerAndAudiences" ? [requiresType.value.providerName] : [];
  });
  return [...new Set(names)].flatMap((name) => providers.get(name) ?? []);
}

function anyOf<Key>(alternatives: readonly Requirement<Key>[]): Requirement<Key> {
  return (evaluation) => {
    let worst: JwtStatus | null = null;
    for (const requirement of alternatives) {
      const status = requirement(evaluation);
      if (status === null || evaluation.waitsFor !== null) return status;
      if (worst === null || weight(status) > weight(worst)) worst = status;
    }
    return worst;
  };
}

/** Of several failures, the one that tells most about a token: it was not simply for somebody else. */
function weight(status: JwtStatus): number {
  if (status === "missing") return 0;
  return status === "unknown-issuer" ? 1 : 2;
}

function allOf<Key>(requirements: readonly Requirement<Key>[]): Requirement<Key> {
  return (evaluation) => {
    for (const requirement of requirements) {
      const status = requirement(evaluation);
      if (status !== null) return status;
    }
    return null;
  };
}
