import { request } from "node:http";
import type { Clock } from "@mixerless/clock";
import type { ScrapeTarget } from "./scrape-targets.ts";

/** What an application answered. */
export interface ScrapedBody {
  /** In one of the formats that can be merged. */
  readonly openMetrics: boolean;
  readonly contentType: string;
  /** Without `# EOF`. */
  readonly body: Buffer;
}

export interface ScrapeRequest {
  readonly host: string;
  readonly target: ScrapeTarget;
  /** Passed on from the scraper. */
  readonly headers: Readonly<Record<string, string>>;
  /** Milliseconds for the whole answer. */
  readonly timeout: number;
  readonly maxBytes: number;
  readonly clock: Clock;
}

/** Asks an application for its series. Rejects with an Error that says what is wrong with the answer. */
export function scrapeTarget(options: ScrapeRequest): Promise<ScrapedBody> {
  const { host, target, headers, timeout, maxBytes, clock } = options;
  return new Promise((resolve, reject) => {
    const call = request({ host, port: target.port, path: target.path, headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      let size = 0;
      response.on("data", (chunk: Buffer) => {
        size += chunk.length;
        chunks.push(chunk);
        if (size > maxBytes) fail(`it is larger than ${maxBytes} bytes`);
      });
      response.on("error", (error) => fail(error.message));
      response.on("aborted", () => fail("the connection ended in the middle of it"));
      response.on("end", () => {
        timer.cancel();
        const { "content-type": type = "", "content-encoding": encoding = "identity" } = response.headers;
        const fault = faultOf(response.statusCode ?? 0, type, encoding, chunks);
        if (fault === null) resolve(scraped(type, Buffer.concat(chunks)));
        else fail(fault);
      });
    });
    const fail = (reason: string) => {
      timer.cancel();
      reject(new Error(reason));
      call.destroy();
    };
    const timer = clock.after(timeout, () => fail(`it takes longer than ${timeout} ms`));
    call.on("error", (error) => fail(error.message));
    call.end();
  });
}

function faultOf(status: number, type: string, encoding: string, chunks: readonly Buffer[]): string | null {
  if (status !== 200) return `its status is ${status}`;
  if (encoding !== "identity") return `it is encoded as ${encoding}, which was not asked for`;
  if (type !== "" && !/^\s*(text\/plain|application\/openmetrics-text)\s*(;|$)/i.test(type))
    return `it is ${type}, not the text format or OpenMetrics`;
  // A cheap look; a whole parse of a large body would hold the loop up.
  const start = /^\s*(\S)/.exec(
    chunks
      .map((chunk) => chunk.toString("latin1", 0, 256))
      .join("")
      .slice(0, 512),
  )?.[1];
  if (start !== undefined && !/[A-Za-z_:#{]/.test(start))
    return `it begins with ${JSON.stringify(start)}, which is no metric`;
  if (chunks.some((chunk) => chunk.includes(0))) return "it has NUL bytes";
  return null;
}

function scraped(contentType: string, body: Buffer): ScrapedBody {
  const version = /^\s*application\/openmetrics-text(?=.*;\s*version="?(0\.0\.1|1\.0\.0)\b)/i.test(contentType);
  return { openMetrics: version, contentType, body: withoutEof(body) };
}

/** `# EOF` ends a whole body; in a merged one there must be no other than the last. */
function withoutEof(body: Buffer): Buffer {
  const tail = body.toString("latin1", Math.max(0, body.length - 64));
  const end = /(^|\n)# EOF[\r\n\t ]*$/.exec(tail);
  if (end === null) return body;
  return body.subarray(0, body.length - (tail.length - end.index - (end[1]?.length ?? 0)));
}
