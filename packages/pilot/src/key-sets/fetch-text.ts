import type { Clock } from "@mixerless/clock";

/** Gets the text behind a URL within so many milliseconds; rejects with a reason for people. */
export type FetchText = (url: string, timeout: number) => Promise<string>;

const LARGEST = 1024 * 1024;

/** Fetches over HTTP, redirects followed; a body beyond 1 MiB is given up. */
export function createFetchText(clock: Clock): FetchText {
  return async (url, timeout) => {
    const control = new AbortController();
    const timer = clock.after(timeout, () => control.abort(new Error(`no answer within ${timeout} ms`)));
    try {
      const response = await fetch(url, { signal: control.signal, headers: { accept: "application/json" } });
      if (response.status !== 200) throw new Error(`the answer is ${response.status}`);
      return await readText(response);
    } catch (error) {
      throw new Error(reasonOf(error));
    } finally {
      timer.cancel();
      // What was not read to its end must not keep its connection.
      control.abort();
    }
  };
}

async function readText({ body }: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  if (body === null) return "";
  for await (const chunk of body) {
    size += chunk.byteLength;
    if (size > LARGEST) throw new Error(`the answer is larger than ${LARGEST} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** What `fetch` says itself is "fetch failed"; the reason stands behind it. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  if (!(cause instanceof Error)) return error.message;
  return cause.message === "" ? ((cause as NodeJS.ErrnoException).code ?? error.message) : cause.message;
}
