import { type IncomingHttpHeaders, request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import type { Clock } from "@mixerless/clock";
import { FetchFault } from "./fetch-fault.ts";

export interface HttpAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface GetOptions {
  readonly clock: Clock;
  readonly headers?: Readonly<Record<string, string>>;
  /** Milliseconds for the whole exchange. */
  readonly timeout: number;
  /** Most bytes of the body. */
  readonly limit: number;
  /** The server's certificate is not checked. */
  readonly unverified?: boolean;
}

const REDIRECTS = 5;

/** What Node says of a certificate whose signer it doesn't know. */
const UNKNOWN_SIGNER = new Set([
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
]);
const TRUST =
  "its certificate is signed by an authority that is not trusted here; start the agent with NODE_EXTRA_CA_CERTS set to a PEM file with that authority's certificate";

/** Gets what is behind a URL, redirects followed. Rejects with a {@link FetchFault}; an answer of any status is an answer. */
export async function httpGet(url: URL, options: GetOptions): Promise<HttpAnswer> {
  let at = url;
  let headers = options.headers ?? {};
  for (let followed = 0; ; followed++) {
    const answer = await getOnce(at, { ...options, headers });
    const { location } = answer.headers;
    if (answer.status < 300 || answer.status > 399 || location === undefined) return answer;
    if (followed === REDIRECTS) throw new FetchFault(`${url.host} redirects more than ${REDIRECTS} times`, false);
    const next = parseUrl(location, at.href);
    if (next === null || !/^https?:$/.test(next.protocol))
      throw new FetchFault(`${at.host} redirects to what is no HTTP address`, false);
    if (at.protocol === "https:" && next.protocol === "http:")
      throw new FetchFault(`${at.host} redirects from https to plain http, which is not followed`, false);
    // Credentials are for the host that they were meant for.
    if (next.origin !== at.origin) headers = without(headers, "authorization");
    at = next;
  }
}

function getOnce(url: URL, { clock, headers, timeout, limit, unverified }: GetOptions): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const send = url.protocol === "https:" ? requestHttps : requestHttp;
    const request = send(url, { agent: false, headers: { ...headers }, rejectUnauthorized: unverified !== true });
    const end = (fault: FetchFault) => {
      timer.cancel();
      reject(fault);
      request.destroy();
    };
    const timer = clock.after(timeout, () => end(new FetchFault(`${url.host} took longer than ${timeout} ms`, true)));
    request.on("error", (error: NodeJS.ErrnoException) => {
      const reason = error.message === "" ? (error.code ?? "no connection") : error.message;
      const cure = UNKNOWN_SIGNER.has(error.code ?? "") ? `${TRUST} (${reason})` : reason;
      end(new FetchFault(`${url.host} can't be reached: ${cure}`, true));
    });
    request.on("response", (response) => {
      const chunks: Buffer[] = [];
      let size = 0;
      const announced = Number(response.headers["content-length"] ?? 0);
      if (announced > limit) return end(tooLarge(url, limit));
      response.on("data", (chunk: Buffer) => {
        size += chunk.length;
        if (size > limit) end(tooLarge(url, limit));
        else chunks.push(chunk);
      });
      response.on("error", (error) => end(new FetchFault(`${url.host} broke off: ${error.message}`, true)));
      response.on("end", () => {
        timer.cancel();
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) });
      });
    });
    request.end();
  });
}

function tooLarge(url: URL, limit: number): FetchFault {
  return new FetchFault(
    `what ${url.host} sends is larger than ${limit} bytes (ISTIO_WASM_MAX_BINARY_SIZE_BYTES)`,
    false,
  );
}

function without(headers: Readonly<Record<string, string>>, name: string): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([key]) => key.toLowerCase() !== name));
}

/** Null for what is no address. */
export function parseUrl(text: string, base?: string): URL | null {
  return URL.canParse(text, base) ? new URL(text, base) : null;
}
