import { isObject } from "../config/json-fields.ts";
import type { HttpPost } from "./http-post.ts";
import { type ReadFile, readToken } from "./read-file.ts";
import { SCOPES, tokenOf, trustedUrl } from "./token-answer.ts";
import type { TokenAnswer } from "./token-source.ts";

const GRANT = "urn:ietf:params:oauth:grant-type:token-exchange";
const ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token";
const CLOUD_PLATFORM = "https://www.googleapis.com/auth/cloud-platform";
const FORM = { "content-type": "application/x-www-form-urlencoded" };

/** What is exchanged for a token, by RFC 8693. */
export interface Exchange {
  readonly url: URL;
  readonly audience: string;
  readonly subjectTokenType: string;
  readonly subjectToken: string;
  readonly scope: string;
}

export async function exchangeToken(exchange: Exchange, post: HttpPost): Promise<TokenAnswer> {
  const body = new URLSearchParams({
    grant_type: GRANT,
    ...(exchange.audience === "" ? {} : { audience: exchange.audience }),
    scope: exchange.scope,
    requested_token_type: ACCESS_TOKEN,
    subject_token: exchange.subjectToken,
    subject_token_type: exchange.subjectTokenType,
  });
  return tokenOf(await post(exchange.url.href, body.toString(), FORM), exchange.url.host);
}

/** A token for a workload's own one (workload identity federation): exchanged, then for a service account if one is named. */
export async function externalAccountToken(
  file: Readonly<Record<string, unknown>>,
  readFile: ReadFile,
  post: HttpPost,
  now: number,
): Promise<TokenAnswer> {
  const { audience, subject_token_type: type, credential_source: source } = file;
  if (typeof audience !== "string" || audience === "") return { fault: "audience is missing" };
  if (typeof type !== "string" || type === "") return { fault: "subject_token_type is missing" };
  const url = trustedUrl(file.token_url, "token_url");
  if ("fault" in url) return url;
  const path = isObject(source) ? source.file : undefined;
  if (!isObject(source) || typeof path !== "string")
    return { fault: "credential_source names no file; other sources (url, executable, aws) are not supported" };
  const subject = await readToken(path, source.format, readFile);
  if ("fault" in subject) return subject;
  const impersonation = file.service_account_impersonation_url;
  const scope = impersonation === undefined ? SCOPES.join(" ") : CLOUD_PLATFORM;
  const exchange = { url, audience, subjectTokenType: type, subjectToken: subject.token, scope };
  const answer = await exchangeToken(exchange, post);
  if ("fault" in answer || impersonation === undefined) return answer;
  return impersonate(impersonation, answer.token, post, now);
}

async function impersonate(value: unknown, token: string, post: HttpPost, now: number): Promise<TokenAnswer> {
  const url = trustedUrl(value, "service_account_impersonation_url");
  if ("fault" in url) return url;
  const headers = { "content-type": "application/json", authorization: `Bearer ${token}` };
  const answer = await post(url.href, JSON.stringify({ scope: SCOPES, lifetime: "3600s" }), headers);
  if ("fault" in answer) return answer;
  const { accessToken, expireTime } = answer.body;
  const until = typeof expireTime === "string" ? Date.parse(expireTime) : Number.NaN;
  const seconds = Number.isNaN(until) ? undefined : (until - now) / 1000;
  return tokenOf(
    { status: answer.status, body: { ...answer.body, access_token: accessToken, expires_in: seconds } },
    url.host,
  );
}
