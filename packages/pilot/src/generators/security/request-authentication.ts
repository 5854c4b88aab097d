import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { KeySet } from "@mixerless/identity/jwt";
import {
  type JwtAuthentication,
  JwtAuthenticationSchema,
  type JwtProviderSchema,
  type JwtRequirementSchema,
} from "@mixerless/wire/envoy/extensions/filters/http/jwt_authn/v3/config";
import type { ConfigObject } from "../../config/config-object.ts";
import type { JwtRule } from "../../config/kinds/security.ts";
import { keySetSource } from "../../key-sets/key-set-source.ts";
import type { Provenance } from "../generated.ts";
import type { GeneratorInput } from "../generator-input.ts";
import { outboundClusterName } from "../names.ts";
import { duration, typed } from "../proto.ts";
import type { NamedFilter } from "../telemetry-filters.ts";
import type { ListenerClass } from "../telemetry-of.ts";

type Provider = MessageInitShape<typeof JwtProviderSchema>;
type Requirement = MessageInitShape<typeof JwtRequirementSchema>;
type KeySource = NonNullable<Provider["jwksSourceSpecifier"]>;

/** A rule with the place where it is written. */
export interface PlacedJwtRule {
  readonly rule: JwtRule;
  readonly place: Provenance;
}

/**
 * A key to which nobody can have the secret: the first point of P-256 whose x is SHA-256 of "mixerless: no key could
 * be had 0" and so on. Tokens fail where the real keys are not known.
 */
export const NO_KEYS = JSON.stringify({
  keys: [
    {
      ...{ kty: "EC", crv: "P-256", kid: "no-key-could-be-had" },
      x: "p3xN0Pk6HicOdiatH6HQvUgqpHvKv2E5kqdTKiCSrxI",
      y: "ifw7VKL--CDBlnNOHs-9P8jEzuTi_My91JMLN_GZ_ec",
    },
  ],
});

const HEADER_NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const SPACE_DELIMITED = ["permission", "scope"];
const DEFAULT_TIMEOUT = 5000;
const CACHE_DURATION = 5 * 60_000;

/** The filter that verifies tokens, where there are rules for them. Who calls out is asked where the call arrives. */
export function tokenFilters(input: GeneratorInput, listenerClass: ListenerClass): readonly NamedFilter[] {
  if (listenerClass === "outbound") return [];
  const { push, proxy, memo } = input;
  const configs = push.attached("RequestAuthentication", proxy);
  const make = (): readonly NamedFilter[] => {
    const message = jwtAuthentication(input, listenerClass);
    if (message === null) return [];
    return [{ name: "envoy.filters.http.jwt_authn", config: typed(JwtAuthenticationSchema, message) }];
  };
  // In the other modes the clusters that a proxy can see decide.
  if (memo === undefined || push.remoteKeys !== "off") return make();
  return memo.get(`jwt ${listenerClass} ${configs.map((config) => memo.identity(config)).join()}`, make);
}

/** All rules for a workload in the order of their providers `origins-0`…: by issuer. */
export function jwtRules(configs: readonly ConfigObject<"RequestAuthentication">[]): PlacedJwtRule[] {
  return configs
    .flatMap((config) =>
      config.spec.jwtRules.map((rule, i) => ({ rule, place: { config, path: `spec.jwtRules[${i}]` } })),
    )
    .sort(({ rule: { issuer: a } }, { rule: { issuer: b } }) => (a < b ? -1 : Number(a > b)));
}

/** The filter's configuration as Istio writes it [control-plane §6.5]; null without rules. */
export function jwtAuthentication(
  input: GeneratorInput,
  listenerClass: Exclude<ListenerClass, "outbound">,
): JwtAuthentication | null {
  const rules = jwtRules(input.push.attached("RequestAuthentication", input.proxy));
  if (rules.length === 0) return null;
  const names = rules.map((_, i) => `origins-${i}`);
  return create(JwtAuthenticationSchema, {
    providers: Object.fromEntries(
      rules.map(({ rule }, i) => [`origins-${i}`, provider(rule, input, listenerClass === "gateway")]),
    ),
    rules: [
      {
        match: { pathSpecifier: { case: "prefix", value: "/" } },
        requirementType: { case: "requires", value: requirement(names) },
      },
    ],
    bypassCorsPreflight: true,
  });
}

/** No token passes; a policy must ask for one. Any that is not valid where its rule looks for it is refused. */
function requirement(names: readonly string[]): Requirement {
  const each = names.map((name) => anyOf([named(name), { requiresType: { case: "allowMissing", value: {} } }]));
  const [only] = each;
  if (only !== undefined && each.length === 1) return only;
  return anyOf([...names.map(named), { requiresType: { case: "requiresAll", value: { requirements: each } } }]);
}

function named(name: string): Requirement {
  return { requiresType: { case: "providerName", value: name } };
}

function anyOf(requirements: Requirement[]): Requirement {
  return { requiresType: { case: "requiresAny", value: { requirements } } };
}

function provider(rule: JwtRule, input: GeneratorInput, gateway: boolean): Provider {
  return {
    issuer: rule.issuer,
    audiences: [...rule.audiences],
    jwksSourceSpecifier: keys(rule, input),
    forward: rule.forwardOriginalToken,
    forwardPayloadHeader: isHeaderName(rule.outputPayloadToHeader) ? rule.outputPayloadToHeader : "",
    payloadInMetadata: "payload",
    normalizePayloadInMetadata: {
      spaceDelimitedClaims: [...new Set([...SPACE_DELIMITED, ...rule.spaceDelimitedClaims])],
    },
    fromHeaders: rule.fromHeaders
      .filter(({ name }) => isHeaderName(name))
      .map(({ name, prefix }) => ({ name, valuePrefix: prefix })),
    fromParams: [...rule.fromParams],
    fromCookies: [...rule.fromCookies],
    claimToHeaders: rule.outputClaimToHeaders.map(({ header, claim }) => ({ headerName: header, claimName: claim })),
    // Routes of a gateway may ask for claims.
    clearRouteCache: gateway,
  };
}

/** A data plane refuses a listener for any other name. */
export function isHeaderName(name: string): boolean {
  return HEADER_NAME.test(name);
}

function keys(rule: JwtRule, input: GeneratorInput): KeySource {
  const source = keySetSource(rule);
  if (source === null) return inline(KeySet.read(rule.jwks) instanceof KeySet ? rule.jwks : NO_KEYS);
  const remote = source.discovery ? null : remoteKeys(rule, input);
  return remote ?? inline(input.push.keySet(source.url) ?? NO_KEYS);
}

function inline(text: string): KeySource {
  return { case: "localJwks", value: { specifier: { case: "inlineString", value: text } } };
}

/** Fetched by the data plane itself, where it may and where it sees the host. */
function remoteKeys({ jwksUri, timeout }: JwtRule, { push, proxy }: GeneratorInput): KeySource | null {
  if (push.remoteKeys === "off") return null;
  if (!URL.canParse(jwksUri)) return null;
  const url = new URL(jwksUri);
  const port = Number(url.port || (url.protocol === "https:" ? 443 : 80));
  const visible = push
    .sidecarScope(proxy)
    .services.some(({ hostname, ports }) => hostname === url.hostname && ports.some((one) => one.port === port));
  if (!visible && push.remoteKeys === "hybrid") return null;
  return {
    case: "remoteJwks",
    value: {
      httpUri: {
        uri: jwksUri,
        httpUpstreamType: { case: "cluster", value: outboundClusterName(url.hostname, port) },
        timeout: duration(timeout ?? DEFAULT_TIMEOUT),
      },
      cacheDuration: duration(CACHE_DURATION),
    },
  };
}
