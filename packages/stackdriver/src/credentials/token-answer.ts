import { isLoopback } from "../config/endpoints.ts";
import type { HttpAnswer } from "./http-post.ts";
import type { TokenAnswer, TokenFault } from "./token-source.ts";

/** What exports are for, in the words of Google's OAuth. */
export const SCOPES = [
  "https://www.googleapis.com/auth/logging.write",
  "https://www.googleapis.com/auth/monitoring.write",
];

const ERROR = /^[\w .:'/-]{1,200}$/;
/** What a header may hold. */
const TOKEN = /^[\x21-\x7e]{1,16384}$/;

/** The token of an answer by RFC 6749 §5. */
export function tokenOf(answer: HttpAnswer, host: string): TokenAnswer {
  if ("fault" in answer) return answer;
  const { access_token: token, expires_in: seconds } = answer.body;
  if (answer.status !== 200) return { fault: `${host} gives no token: HTTP ${answer.status}${errorOf(answer.body)}` };
  if (typeof token !== "string" || !TOKEN.test(token)) return { fault: `${host} answers without a usable token` };
  return { token, lifetime: typeof seconds === "number" && seconds > 0 ? seconds * 1000 : 300_000 };
}

function errorOf(body: Readonly<Record<string, unknown>>): string {
  const texts = [body.error, body.error_description].filter(
    (text): text is string => typeof text === "string" && ERROR.test(text),
  );
  return texts.length === 0 ? "" : `, ${texts.join(": ")}`;
}

/** A URL to which a secret may go: by TLS, or on this machine. */
export function trustedUrl(value: unknown, field: string): URL | TokenFault {
  if (typeof value !== "string" || !URL.canParse(value)) return { fault: `${field} is not a URL` };
  const url = new URL(value);
  if (url.username !== "" || url.password !== "") return { fault: `${field} has a password in it` };
  const host = url.port === "" ? `${url.hostname}:80` : url.host;
  if (url.protocol === "https:" || (url.protocol === "http:" && isLoopback(host))) return url;
  return { fault: `${field} is neither https nor on this machine` };
}
