// The single questions of the model: is this subject one of these values?
import type { Call, HttpCall, Surroundings } from "./call.ts";
import { inRange, isText, pathMatches, principalMatches, readRange, tokenSpeaksFor } from "./model-text.ts";

export interface Question {
  /** A field such as `paths`, or a key such as `request.headers[x]`. */
  readonly subject: string;
  /** False for values that mean nothing to anybody. */
  readonly answerable: boolean;
  holds(call: Call, at: Place): boolean;
}

interface Place {
  readonly around: Surroundings;
  /** Of the policy. */
  readonly namespace: string;
}

type Is = (call: Call, value: string, at: Place) => boolean;

export function questionOf(subject: string, values: readonly string[], negated: boolean): Question {
  const is = IS[subject] ?? keyed(subject);
  return {
    subject,
    answerable: is !== undefined && values.every((value) => means(subject, value)),
    holds: (call, at) => is !== undefined && values.some((value) => is(call, value, at)) !== negated,
  };
}

/** What only a request has. */
export function isHttpOnly(subject: string): boolean {
  return (
    ["hosts", "methods", "paths", "requestPrincipals"].includes(subject) ||
    subject.startsWith("request.headers") ||
    subject.startsWith("request.auth.")
  );
}

const ADDRESSES = ["ipBlocks", "remoteIpBlocks", "source.ip", "remote.ip", "destination.ip"];

function means(subject: string, value: string): boolean {
  if (ADDRESSES.includes(subject)) return readRange(value) !== null;
  if (subject === "ports" || subject === "destination.port") return Number(value) <= 65_535 && /^\d+$/.test(value);
  return true;
}

const account: Is = ({ peer }, value, { namespace }) => {
  const named = value.includes("/") ? value : `${namespace}/${value}`;
  return peer !== null && named === `${peer.namespace}/${peer.account}`;
};
const namespaceIs: Is = ({ peer }, value) =>
  peer !== null && new RegExp(`^${value.split("*").map(asPattern).join(".*")}$`).test(peer.namespace);
const trustDomainIs: Is = ({ peer }, value, { around }) => {
  if (peer === null) return false;
  const same = around.trustDomains.includes(value) ? around.trustDomains : [value];
  return same.some((domain) => domain === "*" || isText(peer.trustDomain, domain));
};
const principalIs: Is = ({ peer }, value, { around }) =>
  peer !== null && principalMatches(peer, value, around.trustDomains);
const tokenIs: Is = ({ http }, value) => tokenSpeaksFor(http?.token ?? null, value);
const port: Is = ({ destinationPort }, value) => destinationPort === Number(value);

const IS: Readonly<Record<string, Is>> = {
  hosts: ({ http }, value) => value === "*" || isText(http?.host.toLowerCase() ?? "", value.toLowerCase()),
  methods: ({ http }, value) => isText(http?.method ?? "", value),
  paths: ({ http }, value) => pathMatches((http?.path ?? "").split(/[?#]/)[0] ?? "", value),
  ports: port,
  principals: principalIs,
  requestPrincipals: tokenIs,
  namespaces: namespaceIs,
  serviceAccounts: account,
  trustDomains: trustDomainIs,
  ipBlocks: ({ sourceIp }, value) => inRange(sourceIp, value),
  remoteIpBlocks: ({ remoteIp }, value) => inRange(remoteIp, value),
  "source.ip": ({ sourceIp }, value) => inRange(sourceIp, value),
  "remote.ip": ({ remoteIp }, value) => inRange(remoteIp, value),
  "source.namespace": namespaceIs,
  "source.principal": principalIs,
  "source.serviceAccount": account,
  "source.trustDomain": trustDomainIs,
  "destination.ip": ({ destinationIp }, value) => inRange(destinationIp, value),
  "destination.port": port,
  "connection.sni": ({ sni }, value) => isText(sni, value),
  "request.auth.principal": tokenIs,
  "request.auth.audiences": claimed(["aud"]),
  "request.auth.presenter": claimed(["azp"]),
};

function keyed(key: string): Is | undefined {
  const names = [...key.matchAll(/\[([^\]]+)\]/g)].map((found) => found[1] ?? "");
  const [first = ""] = names;
  if (key.startsWith("request.headers["))
    return ({ http }, value) => {
      const held = http?.headers[first.toLowerCase()];
      return held !== undefined && (value === "*" || isText(held, value));
    };
  if (key.startsWith("request.auth.claims[")) return claimed(names);
  if (!key.startsWith("experimental.")) return undefined;
  const filter = key.slice("experimental.".length, key.indexOf("["));
  return ({ http }, value) => {
    const held = http?.notes[filter]?.[first];
    if (!value.startsWith("[")) return typeof held === "string" && isText(held, value);
    return Array.isArray(held) && held.some((one) => isText(one as string, value.slice(1, -1)));
  };
}

function claimed(path: readonly string[]): Is {
  return ({ http }, value) => {
    let held: unknown = http?.token ?? undefined;
    for (const name of path) held = (held as HttpCall["token"] | undefined)?.[name];
    const all = Array.isArray(held) ? held : [held];
    return all.some((one) => typeof one === "string" && isText(one, value));
  };
}

function asPattern(text: string): string {
  return text.replaceAll(/\W/g, "\\$&");
}
