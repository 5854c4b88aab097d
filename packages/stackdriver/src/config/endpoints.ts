import { type NodeFacts, secondsOf } from "./node-facts.ts";

/** Where one of the two services is. */
export interface Endpoint {
  /** `host:port`. */
  readonly address: string;
  /** False only for what the node names as an endpoint in clear, for tests. */
  readonly secure: boolean;
}

/** The services, and what proves who is there and who asks. Files and ports are read when they are needed. */
export interface CloudSettings {
  readonly metrics: Endpoint;
  readonly logs: Endpoint;
  /** Roots that prove the endpoints; "": the system's. */
  readonly rootsFile: string;
  /** Token to be exchanged at `stsPort`; "" for none. */
  readonly tokenFile: string;
  /** Port on loopback of an exchange of tokens; 0 for none. */
  readonly stsPort: number;
  /** Milliseconds between two exports of metrics. */
  readonly metricsInterval: number;
}

const HTTPS = 443;
const LOGGING: Endpoint = { address: `logging.googleapis.com:${HTTPS}`, secure: true };
const MONITORING: Endpoint = { address: `monitoring.googleapis.com:${HTTPS}`, secure: true };

/**
 * From the node's own metadata only [telemetry §5.2]: whoever configures filters can't send a workload's numbers, or
 * its credentials, elsewhere. A list: what is wrong with them.
 */
export function readCloudSettings(node: NodeFacts, warn: (message: string) => void): CloudSettings | string[] {
  const faults: string[] = [];
  const endpoint = (name: string, text: string, secure: boolean): Endpoint => {
    const address = addressOf(text, secure ? HTTPS : null);
    if (address === null)
      faults.push(`the node's ${name} is "${text.slice(0, 80)}", not a host and port such as 127.0.0.1:4317`);
    return { address: address ?? "", secure };
  };
  const tls = node("SECURE_STACKDRIVER_ENDPOINT");
  const clear = tls === "" ? node("STACKDRIVER_ENDPOINT") : "";
  const clearMetrics = node("STACKDRIVER_MONITORING_ENDPOINT");
  const named = tls !== "" ? endpoint("SECURE_STACKDRIVER_ENDPOINT", tls, true) : null;
  const logs = clear !== "" ? endpoint("STACKDRIVER_ENDPOINT", clear, false) : (named ?? LOGGING);
  // Who only says where test logs go doesn't mean the numbers to go to Google.
  const others = clear !== "" ? logs : (named ?? MONITORING);
  const metrics = clearMetrics !== "" ? endpoint("STACKDRIVER_MONITORING_ENDPOINT", clearMetrics, false) : others;
  const sts = node("STS_PORT");
  if (sts !== "" && !/^\d{1,5}$/.test(sts)) faults.push(`the node's STS_PORT is "${sts.slice(0, 40)}", not a port`);
  if (faults.length > 0) return faults;
  return {
    ...{ metrics, logs, rootsFile: node("STACKDRIVER_ROOT_CA_FILE"), tokenFile: node("STACKDRIVER_TOKEN_FILE") },
    stsPort: Number(sts),
    metricsInterval: secondsOf(node, "STACKDRIVER_MONITORING_EXPORT_INTERVAL_SECS", 60_000, warn),
  };
}

/** `host:port`; the port may be left out where there is a usual one. */
function addressOf(text: string, usualPort: number | null): string | null {
  const parts = /^(\[[0-9a-fA-F:]+\]|[A-Za-z0-9._-]+)(?::(\d{1,5}))?$/.exec(text);
  const port = parts?.[2] === undefined ? usualPort : Number(parts[2]);
  if (parts === null || port === null || port < 1 || port > 65535) return null;
  return `${parts[1]}:${port}`;
}

const LOOPBACK = /^(127(\.\d{1,3}){3}|localhost|\[::1\]):\d+$/;

/** Whether an address stays on this machine. */
export function isLoopback(address: string): boolean {
  return LOOPBACK.test(address);
}
