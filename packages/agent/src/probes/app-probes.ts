import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { connect } from "node:net";
import type { Clock } from "@mixerless/clock";

/** A probe of the application that the agent carries out for the kubelet [control-plane §9.4]. */
export interface AppProbe {
  /** `/app-health/<container>/readyz`, `livez` or `startupz`. */
  readonly path: string;
  readonly target: HttpTarget | TcpTarget;
  /** Milliseconds. */
  readonly timeout: number;
}

interface HttpTarget {
  readonly kind: "http";
  readonly secure: boolean;
  readonly port: number;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
}

interface TcpTarget {
  readonly kind: "tcp";
  readonly port: number;
}

const VARIABLE = "ISTIO_KUBE_APP_PROBERS";
const PATH = /^\/app-health\/[^/]+\/(livez|readyz|startupz)$/;

/** The probes that an injected pod carries in `ISTIO_KUBE_APP_PROBERS`. Throws what names the field and the cure. */
export function readAppProbes(environment: Readonly<Record<string, string | undefined>>): readonly AppProbe[] {
  const text = environment[VARIABLE];
  if (!text) return [];
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    throw wrong("", `is not JSON (${(error as Error).message})`);
  }
  if (!isObject(parsed)) throw wrong("", "must be an object of probes by path");
  return Object.entries(parsed).map(([path, probe]) => {
    if (!PATH.test(path)) throw wrong(path, "must be /app-health/<container>/livez, readyz or startupz");
    if (!isObject(probe)) throw wrong(path, "must be an object with httpGet or tcpSocket");
    const seconds = Number(probe.timeoutSeconds ?? 1);
    return { path, target: targetOf(path, probe), timeout: (seconds > 0 ? seconds : 1) * 1000 };
  });
}

function targetOf(path: string, { httpGet, tcpSocket, grpc }: Record<string, unknown>): HttpTarget | TcpTarget {
  if (isObject(httpGet)) {
    const headers: Record<string, string> = {};
    for (const header of Array.isArray(httpGet.httpHeaders) ? httpGet.httpHeaders : []) {
      if (isObject(header)) headers[String(header.name).toLowerCase()] = String(header.value);
    }
    const secure = String(httpGet.scheme ?? "HTTP").toUpperCase() === "HTTPS";
    const wanted = String(httpGet.path ?? "/");
    const port = portOf(`${path}.httpGet.port`, httpGet.port);
    return { kind: "http", secure, port, path: wanted.startsWith("/") ? wanted : `/${wanted}`, headers };
  }
  if (isObject(tcpSocket)) return { kind: "tcp", port: portOf(`${path}.tcpSocket.port`, tcpSocket.port) };
  throw wrong(
    path,
    grpc === undefined ? "needs httpGet or tcpSocket" : "has a gRPC probe, which this agent does not carry out",
  );
}

function portOf(path: string, value: unknown): number {
  const port = Number(value);
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw wrong(path, "must be a port number");
  return port;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function wrong(path: string, message: string): Error {
  const example = '{"/app-health/web/readyz":{"httpGet":{"path":"/ready","port":8080},"timeoutSeconds":1}}';
  return new Error(`${VARIABLE}${path === "" ? "" : `: ${path}`} ${message}; for example ${example}.`);
}

/** Carries a probe out against `host`. Gives the status that the kubelet is told: the application's, or 500. */
export function runAppProbe(probe: AppProbe, host: string, clock: Clock): Promise<number> {
  return new Promise((resolve) => {
    const { target } = probe;
    const done = (status: number) => {
      timer.cancel();
      call.destroy();
      resolve(status);
    };
    const call = target.kind === "tcp" ? connect(target.port, host, () => done(200)) : get(target, host, done);
    const timer = clock.after(probe.timeout, () => done(500));
    call.on("error", () => done(500));
  });
}

function get(target: HttpTarget, host: string, done: (status: number) => void) {
  const { port, path, headers, secure } = target;
  const options = { host, port, path, headers, agent: false as const };
  // A probe asks whether the application is there, not who it is; the kubelet does not check either.
  const call = secure ? httpsRequest({ ...options, rejectUnauthorized: false }) : httpRequest(options);
  call.on("response", (response) => done(response.statusCode ?? 500));
  call.end();
  return call;
}
