import { request } from "node:http";
import { CommandError } from "./command-error.ts";

export interface Page {
  readonly status: number;
  readonly body: string;
}

/** Milliseconds without a byte. Generous: a laptop may have other things to do. */
const TIMEOUT = 15_000;
/** A whole mesh's configuration fits; a server that never ends does not. */
const LARGEST = 256 * 1024 * 1024;

/** One request. Rejects when nobody answers. */
export function fetchPage(
  url: string,
  method: "GET" | "POST" = "GET",
  headers: Readonly<Record<string, string>> = {},
): Promise<Page> {
  return new Promise((resolve, reject) => {
    let reason: string | null = null;
    const fail = (error: Error) => reject(new CommandError(`${url} does not answer: ${reason ?? error.message}.`));
    const call = request(url, { method, headers, timeout: TIMEOUT, agent: false }, (response) => {
      const parts: string[] = [];
      let size = 0;
      response.setEncoding("utf8");
      response.on("data", (part: string) => {
        parts.push(part);
        size += part.length;
        if (size > LARGEST) end("the answer is too large");
      });
      response.on("end", () => resolve({ status: response.statusCode ?? 0, body: parts.join("") }));
      response.on("error", fail);
    });
    const end = (why: string) => {
      reason = why;
      call.destroy(new Error(why));
    };
    call.on("timeout", () => end(`nothing came for ${TIMEOUT / 1000} s`));
    call.on("error", fail);
    call.end();
  });
}

/** The body of a 200. */
export async function fetchBody(url: string): Promise<string> {
  const { status, body } = await fetchPage(url);
  if (status !== 200) throw new CommandError(`${url} answers ${status}: ${body.trim().slice(0, 500)}`);
  return body;
}

export async function fetchJson<T>(url: string): Promise<T> {
  const body = await fetchBody(url);
  try {
    return JSON.parse(body) as T;
  } catch {
    throw new CommandError(`${url} does not answer with JSON. Is that a Mixerless control plane or proxy?`);
  }
}
