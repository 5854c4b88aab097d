import { type IncomingHttpHeaders, request } from "node:http";
import type { Socket } from "node:net";
import type { TrafficRequest } from "@mixerless/pilot/testing";
import { dial } from "./dial.ts";
import type { SeenRequest } from "./endpoints.ts";
import type { MeshIdentities } from "./mesh-identities.ts";

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** Sends what a case says; answers what was not as it says. */
export async function send(
  target: { ip: string; port: number },
  wanted: TrafficRequest,
  mesh: MeshIdentities,
): Promise<string[]> {
  const { times = 1, shares, sticky = false } = wanted;
  const counts = new Map<string, number>();
  const faults: string[] = [];
  for (let i = 0; i < times; i++) {
    const socket = await dial(target, wanted.tls, mesh);
    const reached = socket === null ? null : await conversation(socket, wanted, faults);
    if ((reached === null) !== (wanted.refused ?? false)) faults.push(reached === null ? "refused" : "not refused");
    const at = reached ?? "";
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

/** Who answered; null: the connection ended without an answer. */
function conversation(socket: Socket, wanted: TrafficRequest, faults: string[]): Promise<string | null> {
  return wanted.tcp === undefined ? sendHttp(socket, wanted, faults) : sendBytes(socket, wanted.tcp, faults);
}

async function sendHttp(socket: Socket, wanted: TrafficRequest, faults: string[]): Promise<string | null> {
  const answer = await exchange(socket, wanted);
  if (answer === null) return null;
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
    const is = name === ":path" ? seen?.path : name === ":method" ? seen?.method : withoutHash(seen?.headers[name]);
    if (value === null ? is !== undefined : is !== value) faults.push(`endpoint saw ${name}: ${is}, not ${value}`);
  }
  return String(answer.headers["x-at"] ?? "");
}

/** Certificates are made anew for each run. */
function withoutHash(value: string | undefined): string | undefined {
  return value?.replace(/Hash=[0-9a-f]{64}/, "Hash=*").replace(/Cert="-----BEGIN%20CERTIFICATE[^"]*"/, "Cert=*");
}

function seenBy(answer: Answer): SeenRequest | undefined {
  return answer.headers["x-at"] === undefined ? undefined : (JSON.parse(answer.body) as SeenRequest);
}

function exchange(socket: Socket, wanted: TrafficRequest): Promise<Answer | null> {
  const { method = "GET", path = "/", host = "reviews", headers = {} } = wanted;
  return new Promise((resolve) => {
    const createConnection = () => socket;
    const sent = request({ createConnection, method, path, headers: { ...headers, host } }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: Buffer.concat(chunks).toString(),
        }),
      );
      response.on("error", () => resolve(null));
    });
    sent.on("error", () => resolve(null));
    sent.end();
  });
}

function sendBytes(socket: Socket, text: string, faults: string[]): Promise<string | null> {
  return new Promise((resolve) => {
    let got = "";
    socket.on("data", (bytes) => {
      got += bytes.toString("latin1");
    });
    socket.on("end", () => socket.end());
    socket.on("close", () => {
      const [at = "", rest = ""] = got.split(" got ");
      if (at !== "" && rest !== text) faults.push(`the endpoint got ${rest}`);
      resolve(at === "" ? null : at);
    });
    socket.write(text);
  });
}
