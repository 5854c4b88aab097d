import { JWT_STATUS_TEXT, KeySet, readJwt } from "@mixerless/identity/jwt";
import {
  compileProvider,
  compileRequirement,
  Evaluation,
  fixedKeys,
  JWT_METADATA,
  metadataOf,
  type Provider,
} from "@mixerless/policy/jwt";
import type { JwtAuthentication, JwtProvider } from "@mixerless/wire/envoy/extensions/filters/http/jwt_authn/v3/config";
import type { Provenance } from "../generators/generated.ts";
import type { GeneratorInput } from "../generators/generator-input.ts";
import { jwtAuthentication, jwtRules } from "../generators/security/request-authentication.ts";

/** What becomes of the tokens of a request before policies see it. */
export interface TokenVerdict {
  /** `ignored`: no RequestAuthentication applies, so nobody looks. */
  readonly outcome: "valid" | "refused" | "absent" | "ignored";
  /** In the data plane's words; null unless refused. */
  readonly reason: string | null;
  /** `issuer/subject` of the token that counts; null without one. */
  readonly principal: string | null;
  /** The rule of that token's issuer. */
  readonly place: Provenance | null;
  /** What policies may ask about, by filter. */
  readonly metadata: Readonly<Record<string, unknown>>;
}

export interface TokenQuestion {
  /** Lines by name. */
  readonly headers: ReadonlyMap<string, readonly string[]>;
  /** Path with query. */
  readonly target: string;
  /** Seconds. */
  readonly now: number;
}

/** Evaluates the configuration that data planes get, with the evaluator that they have. A text: why it cannot. */
export function tokenVerdict(input: GeneratorInput, { headers, target, now }: TokenQuestion): TokenVerdict | string {
  const message = jwtAuthentication(input, input.proxy.type === "router" ? "gateway" : "inbound");
  if (message === null) return verdict("ignored");
  const unfetched: string[] = [];
  const request = { header: (name: string) => headers.get(name)?.join(",") ?? null, target };
  const evaluation = new Evaluation(request, "cookie", now, new Set());
  const status = requirementOf(message, unfetched)(evaluation);
  if (evaluation.waitsFor !== null)
    return `The proxy fetches the keys of this issuer itself (${unfetched.join(", ")}), so the token cannot be judged here.`;
  const rules = jwtRules(input.push.attached("RequestAuthentication", input.proxy));
  const [counted] = evaluation.verified.slice(-1);
  if (status !== null) {
    const issuer = bearerIssuer(headers.get("authorization")?.[0]);
    const place = rules.find(({ rule }) => rule.issuer === issuer)?.place ?? null;
    return { ...verdict("refused"), reason: JWT_STATUS_TEXT[status], place };
  }
  if (counted === undefined) return verdict("absent");
  const { token, provider } = counted;
  return {
    ...verdict("valid"),
    principal: `${token.issuer}/${token.subject}`,
    place: rules[Number(provider.name.slice("origins-".length))]?.place ?? null,
    metadata: { [JWT_METADATA]: metadataOf(evaluation.verified) },
  };
}

function verdict(outcome: TokenVerdict["outcome"]): TokenVerdict {
  return { outcome, reason: null, principal: null, place: null, metadata: {} };
}

function requirementOf(message: JwtAuthentication, unfetched: string[]) {
  const faults: { path: string; message: string }[] = [];
  const context = {
    headerKey: (name: string) => name,
    faults,
    keySource: (provider: JwtProvider) => keySource(provider, unfetched),
  };
  const providers = new Map<string, Provider<string>>();
  for (const [name, one] of Object.entries(message.providers)) {
    const provider = compileProvider(name, one, name, context);
    if (provider !== null) providers.set(name, provider);
  }
  const requires = message.rules[0]?.requirementType;
  if (requires?.case !== "requires") throw new Error("the generated rule has no requirement");
  return compileRequirement(requires.value, providers, "requires", context);
}

function keySource({ jwksSourceSpecifier }: JwtProvider, unfetched: string[]) {
  if (jwksSourceSpecifier.case === "localJwks") {
    const keys = KeySet.read(String(jwksSourceSpecifier.value.specifier.value));
    if (keys instanceof KeySet) return fixedKeys(keys);
  }
  if (jwksSourceSpecifier.case === "remoteJwks") unfetched.push(jwksSourceSpecifier.value.httpUri?.uri ?? "");
  return { current: () => null, canRefresh: () => false, fetch: () => ({ cancel: () => {} }) };
}

function bearerIssuer(authorization: string | undefined): string | null {
  const token = readJwt(/Bearer ([\w.-]+)/.exec(authorization ?? "")?.[1] ?? "");
  return typeof token === "string" ? null : token.issuer;
}
