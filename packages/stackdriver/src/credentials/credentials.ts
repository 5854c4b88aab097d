import type { Clock } from "@mixerless/clock";
import { exchangeToken, externalAccountToken } from "./external-account.ts";
import { type HttpPost, httpPost } from "./http-post.ts";
import { type ReadFile, readJsonFile, readSmallFile, readToken } from "./read-file.ts";
import { serviceAccountToken } from "./service-account.ts";
import { SCOPES } from "./token-answer.ts";
import { type TokenAnswer, TokenSource } from "./token-source.ts";

/** Where credentials are; "" and 0 for none. */
export interface CredentialSettings {
  /** As Google's clients: the key of a service account or an external account, `GOOGLE_APPLICATION_CREDENTIALS`. */
  readonly file: string;
  /** A token to be exchanged on this machine, as Istio's agent does it. */
  readonly tokenFile: string;
  readonly stsPort: number;
}

export interface CredentialParts {
  readonly clock: Clock;
  readonly post?: HttpPost;
  readonly readFile?: ReadFile;
}

/** What gives tokens; null without credentials. Files are read for each new token, so that they may be replaced. */
export function createTokenSource(
  { file, tokenFile, stsPort }: CredentialSettings,
  { clock, post = httpPost, readFile = readSmallFile }: CredentialParts,
): TokenSource | null {
  if (file !== "") return new TokenSource(clock, () => fromFile(file, clock, post, readFile));
  if (tokenFile !== "" && stsPort !== 0)
    return new TokenSource(clock, () => fromAgent(tokenFile, stsPort, post, readFile));
  return null;
}

async function fromFile(path: string, clock: Clock, post: HttpPost, readFile: ReadFile): Promise<TokenAnswer> {
  const file = await readJsonFile(path, readFile);
  if ("fault" in file) return file;
  const answer = await byType(file.fields, clock, post, readFile);
  return "fault" in answer ? { fault: `credentials of ${path}: ${answer.fault}` } : answer;
}

function byType(
  file: Readonly<Record<string, unknown>>,
  clock: Clock,
  post: HttpPost,
  readFile: ReadFile,
): Promise<TokenAnswer> {
  switch (file.type) {
    case "service_account":
      return serviceAccountToken(file, clock, post);
    case "external_account":
      return externalAccountToken(file, readFile, post, clock.now());
    default:
      return Promise.resolve({ fault: "type is neither service_account nor external_account" });
  }
}

async function fromAgent(path: string, port: number, post: HttpPost, readFile: ReadFile): Promise<TokenAnswer> {
  const subject = await readToken(path, undefined, readFile);
  if ("fault" in subject) return subject;
  const url = new URL(`http://127.0.0.1:${port}/token`);
  const subjectTokenType = "urn:ietf:params:oauth:token-type:jwt";
  return exchangeToken(
    { url, audience: "", subjectTokenType, subjectToken: subject.token, scope: SCOPES.join(" ") },
    post,
  );
}
