import { type IncomingHttpHeaders, request } from "node:http";
import { connect } from "node:net";
import type { TrafficRequest } from "@mixerless/pilot/testing";
import type { SeenRequest } from "./endpoints.ts";

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** Sends what a case says; answers what was not as it says. */
export async function send(target: { ip: string; port: number }, wanted: TrafficRequest): Promise<string[]> {
  const { times = 1, shares, sticky = false } = wanted;
  const counts = new Map<string, number>();
  const faults: string[] = [];
  for (let i = 0; i < times; i++) {
    const at =
      wanted.tcp === undefined ? await sendHttp(target, wanted, faults) : await sendBytes(target, wanted.tcp, faults);
    counts.set(at, (counts.get(at) ?? 0) + 1);
    if (wanted.at !== undefined && at !== (wanted.at ?? "")) faults.push(`reached ${at || "nobody"}, not ${wanted.at}`);
  }
  if (sticky && counts.size !== 1) faults.push(`reached ${[...counts.keys()]}, not always the same`);
  for (const [at, count] of counts) {
    if (shares !== undefined && shares[at] === undefined) faults.push(`reached ${at || "nobody"} ${count} times`);
  }
  for (const [at, [least, most]] of Object.entries(shares ?? {})) {
    const count = counts.get(at) ?? 0;
    if (count < least || count > most) faults.push(`reached ${at} ${count} times of ${times}`);
  }
  return faults;
}

async function sendHttp(target: { ip: string; port: number }, wanted: TrafficRequest, faults: string[]) {
  const answer = await exchange(target, wanted);
  const { status = 200, body } = wanted;
  if (answer.status !== status)
    faults.push(`status ${answer.status} instead of ${status}: ${answer.body.slice(0, 100)}`);
  for (const [name, value] of Object.entries(wanted.answer ?? {})) {
    const is = answer.headers[name];
    if (value === null ? is !== undefined : is !== value) faults.push(`answer has ${name}: ${is}, not ${value}`);
  }
  if (body !== undefined && answer.body !== body) faults.push(`body ${answer.body}`);
  const seen = seenBy(answer);
  for (const [name, value] of Object.entries(wanted.seen ?? {})) {
    const is = name === ":path" ? seen?.path : name === ":method" ? seen?.method : seen?.headers[name];
    if (value === null ? is !== undefined : is !== value) faults.push(`endpoint saw ${name}: ${is}, not ${value}`);
  }
  return String(answer.headers["x-at"] ?? "");
}

function seenBy(answer: Answer): SeenRequest | undefined {
  return answer.headers["x-at"] === undefined ? undefined : (JSON.parse(answer.body) as SeenRequest);
}

function exchange({ ip, port }: { ip: string; port: number }, wanted: TrafficRequest): Promise<Answer> {
  const { method = "GET", path = "/", host = "reviews", headers = {} } = wanted;
  return new Promise((resolve, reject) => {
    const sent = request({ host: ip, port, method, path, headers: { ...headers, host }, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: Buffer.concat(chunks).toString(),
        }),
      );
      response.on("error", reject);
    });
    sent.on("error", reject);
    sent.end();
  });
}

function sendBytes({ ip, port }: { ip: string; port: number }, text: string, faults: string[]): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ host: ip, port }, () => socket.write(text));
    let got = "";
    socket.on("data", (bytes) => {
      got += bytes.toString("latin1");
    });
    socket.on("error", () => {});
    socket.on("close", () => {
      const [at = "", rest = ""] = got.split(" got ");
      if (at !== "" && rest !== text) faults.push(`the endpoint got ${rest}`);
      resolve(at);
    });
  });
}
