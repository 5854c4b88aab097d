// Tokens that were really signed, judged by the messages that data planes get, against what the API says.

import { KeySet } from "@mixerless/identity/jwt";
import { TestIssuer } from "@mixerless/identity/testing";
import { compileProvider, compileRequirement, Evaluation, fixedKeys, metadataOf } from "@mixerless/policy/jwt";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { object, pod, proxy, pushOf } from "../../model/testing/push-of.ts";
import { jwtAuthentication } from "./request-authentication.ts";

const SETS = Number(process.env.MIXERLESS_POLICY_SETS ?? 100);
const CALLS = 12;
const NOW = 1_000_000;

const ISSUERS = ["https://a", "https://b", "https://c"].map((name) => new TestIssuer(name));
/** The same names, other keys. */
const FORGERS = ISSUERS.map(({ issuer }) => new TestIssuer(issuer));

type Place = "default" | "x-token" | "param" | "cookie";

interface Rule {
  readonly issuer: number;
  readonly audiences: readonly string[];
  readonly place: Place;
}

interface Token {
  readonly issuer: number;
  readonly forged: boolean;
  readonly aud: string | readonly string[];
  readonly exp: number;
  readonly place: "authorization" | "access_token" | "x-token" | "param" | "cookie";
}

const rule: fc.Arbitrary<Rule> = fc.record({
  issuer: fc.integer({ min: 0, max: 2 }),
  audiences: fc.constantFrom([], [], ["shop"], ["https://bank/"]),
  place: fc.constantFrom<Place>("default", "default", "x-token", "param", "cookie"),
});

const token: fc.Arbitrary<Token> = fc.record({
  issuer: fc.integer({ min: 0, max: 2 }),
  forged: fc.constantFrom(false, false, false, true),
  aud: fc.constantFrom("shop", ["bank", "x"], []),
  exp: fc.constantFrom(NOW + 1, NOW + 1, NOW - 59, NOW - 61),
  place: fc.constantFrom("authorization", "authorization", "access_token", "x-token", "param", "cookie"),
});

/** Where a rule looks, in words of tokens. */
function looksAt(rule: Rule, { place }: Token): boolean {
  return rule.place === "default" ? place === "authorization" || place === "access_token" : place === rule.place;
}

/** The API in a sentence: one rule's tokens are valid, or no rule finds any; so an invalid one alone is refused. */
function model(rules: readonly Rule[], tokens: readonly Token[]): "refused" | "no token" | readonly string[] {
  const found = rules.map((one) => tokens.filter((token) => looksAt(one, token)));
  const valid = rules.filter((one, i) => found[i]?.length !== 0 && found[i]?.every((token) => isValid(one, token)));
  if (valid.length > 0) return valid.map(({ issuer }) => ISSUERS[issuer]?.issuer ?? "").sort();
  return found.every(({ length }) => length === 0) ? "no token" : "refused";
}

function isValid({ issuer, audiences }: Rule, token: Token): boolean {
  const plain = audiences.map((one) => one.replace("https://", "").replace("/", ""));
  const meant = plain.length === 0 || [token.aud].flat().some((one) => plain.includes(one));
  return token.issuer === issuer && !token.forged && token.exp > NOW - 60 && meant;
}

function requestWith(tokens: readonly Token[]) {
  const headers: Record<string, string[]> = {};
  const query: string[] = [];
  for (const { issuer, forged, aud, exp, place } of tokens) {
    const text = (forged ? FORGERS : ISSUERS)[issuer]?.token({ aud, exp }) ?? "";
    const add = (name: string, value: string) => {
      headers[name] = [...(headers[name] ?? []), value];
    };
    if (place === "authorization") add("authorization", `Bearer ${text}`);
    else if (place === "x-token") add("x-token", text);
    else if (place === "cookie") add("cookie", `other=1; session=${text}`);
    else query.push(`${place === "param" ? "t" : place}=${text}`);
  }
  return { header: (name: string) => headers[name]?.join(",") ?? null, target: `/?${query.join("&")}` };
}

const FROM: Readonly<Record<Place, object>> = {
  default: {},
  "x-token": { fromHeaders: [{ name: "x-token" }] },
  param: { fromParams: ["t"] },
  cookie: { fromCookies: ["session"] },
};

function translated(rules: readonly Rule[]) {
  const manifest = object("RequestAuthentication", "foo/a", {
    jwtRules: rules.map(({ issuer, audiences, place }) => ({
      ...{ issuer: ISSUERS[issuer]?.issuer, jwks: ISSUERS[issuer]?.jwks, audiences },
      ...FROM[place],
    })),
  });
  const push = pushOf([pod("foo/judged-v1", "10.0.0.2"), manifest]);
  const message = jwtAuthentication({ proxy: proxy("foo/judged-v1"), push, telemetry: "native" }, "inbound");
  const [first] = message?.rules ?? [];
  if (message === null || first?.requirementType.case !== "requires") throw new Error("no rule");
  const faults: { path: string; message: string }[] = [];
  const context = {
    headerKey: (name: string) => name,
    faults,
    keySource: ({ jwksSourceSpecifier }: (typeof message.providers)[string]) => {
      const source = jwksSourceSpecifier.case === "localJwks" ? jwksSourceSpecifier.value.specifier.value : "";
      return fixedKeys(KeySet.read(String(source)) as KeySet);
    },
  };
  const providers = new Map(
    Object.entries(message.providers).flatMap(([name, one]) => {
      const provider = compileProvider(name, one, name, context);
      return provider === null ? [] : [[name, provider] as const];
    }),
  );
  const requirement = compileRequirement(first.requirementType.value, providers, "requires", context);
  expect(faults).toEqual([]);
  return (tokens: readonly Token[]) => {
    const evaluation = new Evaluation(requestWith(tokens), "cookie", NOW, new Set());
    if (requirement(evaluation) !== null) return "refused";
    const noted = metadataOf(evaluation.verified) as { payload: { iss: string } } | null;
    return noted === null ? "no token" : noted.payload.iss;
  };
}

describe("tokens", () => {
  it(`are taken as the API says, in ${SETS * CALLS} requests made up`, () => {
    const seen = { refused: 0, "no token": 0, valid: 0 };
    const several = fc.array(fc.array(token, { maxLength: 3 }), { minLength: CALLS, maxLength: CALLS });
    fc.assert(
      fc.property(fc.array(rule, { minLength: 1, maxLength: 3 }), several, (rules, requests) => {
        const judge = translated(rules);
        for (const tokens of requests) {
          const wanted = model(rules, tokens);
          const verdict = judge(tokens);
          if (typeof wanted === "string") expect(verdict).toBe(wanted);
          // Whose token is noted: one that is valid for a rule.
          else expect(wanted).toContain(verdict);
          seen[typeof wanted === "string" ? wanted : "valid"]++;
        }
      }),
      { numRuns: SETS },
    );
    for (const count of Object.values(seen)) expect(count).toBeGreaterThan((SETS * CALLS) / 20);
  }, 600_000);
});
