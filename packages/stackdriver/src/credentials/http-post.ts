import type { TokenFault } from "./token-source.ts";

export type HttpAnswer = { readonly status: number; readonly body: Readonly<Record<string, unknown>> } | TokenFault;

/** Posts a body and reads a JSON object. Never rejects, follows no redirection, is bounded in time and bytes. */
export type HttpPost = (url: string, body: string, headers: Readonly<Record<string, string>>) => Promise<HttpAnswer>;

const TIMEOUT = 10_000;
const MOST_BYTES = 64 * 1024;

export const httpPost: HttpPost = async (url, body, headers) => {
  const { host } = new URL(url);
  try {
    const response = await fetch(url, {
      ...{ method: "POST", body, headers, redirect: "error" },
      signal: AbortSignal.timeout(TIMEOUT),
    });
    const text = await readText(response);
    if (text === null) return { fault: `${host} answers with more than ${MOST_BYTES} bytes` };
    const json: unknown = JSON.parse(text);
    if (typeof json !== "object" || json === null || Array.isArray(json)) return { fault: `${host} answers no object` };
    return { status: response.status, body: json as Record<string, unknown> };
  } catch (error) {
    // The text of an answer isn't shown: it may hold a token.
    if (error instanceof SyntaxError) return { fault: `${host} answers what is not JSON` };
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    return { fault: `${host} can't be asked: ${cause instanceof Error ? cause.message : String(cause)}` };
  }
};

async function readText(response: Response): Promise<string | null> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  if (response.body === null) return "";
  for await (const chunk of response.body as ReadableStream<Uint8Array>) {
    size += chunk.length;
    if (size > MOST_BYTES) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}
