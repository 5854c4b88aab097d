import { createServer } from "node:net";
import type { SidecarAddresses } from "@mixerless/agent";
import { freePorts } from "../demo/address-plan.ts";
import { CommandError } from "../mesh/command-error.ts";
import type { ServiceCall } from "./service-calls.ts";

export type Loopback = "many" | "single";

/** A call with the address on this machine that stands for it. */
export interface BoundCall extends ServiceCall {
  readonly bind: string;
  readonly bindPort: number;
}

/** Where one joined workload and its sidecar are. */
export interface RunAddresses {
  readonly sidecar: Omit<SidecarAddresses, "discovery">;
  readonly inbound: { readonly ip: string; readonly port: number };
  readonly calls: readonly BoundCall[];
}

/** The demo has the blocks below; 127.0.<block>.n goes with 127.<block - 9>.n.k [decision 7]. */
const FIRST_BLOCK = 20;
const BLOCKS = 10;
const LARGEST_N = 254;

/** Whether this system binds all of 127.0.0.0/8, as Linux does and macOS does not. */
export async function supportsManyAddresses(): Promise<boolean> {
  return (await tryBind(`127.0.${FIRST_BLOCK}.1`, 0)) === null;
}

/** The places for a workload, nearest first. Whoever takes one finds out by binding whether it is free. */
export async function* manyAddresses(servicePort: number, calls: readonly ServiceCall[]): AsyncGenerator<RunAddresses> {
  for (let block = FIRST_BLOCK; block < FIRST_BLOCK + BLOCKS; block++) {
    for (let n = 1; n <= LARGEST_N; n++) {
      const ip = `127.0.${block}.${n}`;
      const failure = await tryBind(ip, 15020);
      if (failure === "EADDRINUSE") continue;
      if (failure !== null) throw new CommandError(`${ip} cannot be bound: ${failure}. Try --loopback single.`);
      yield {
        sidecar: { ip, adminPort: 15000, prometheusPort: 15090, healthPort: 15021, statusPort: 15020, sourceIp: ip },
        inbound: { ip, port: servicePort },
        calls: bindMany(calls, block, n),
      };
    }
  }
  throw new CommandError(`All ${BLOCKS * LARGEST_N} addresses for workloads on this machine are taken.`);
}

/** The k-th service called has an address of its own, and its own ports there. */
function bindMany(calls: readonly ServiceCall[], block: number, n: number): BoundCall[] {
  const hosts = [...new Set(calls.map(({ host }) => host))];
  return calls.map((call) => ({
    ...call,
    bind: `127.${block - 9}.${n}.${hosts.indexOf(call.host) + 1}`,
    bindPort: call.port,
  }));
}

/**
 * Free ports of 127.0.0.1 for everything. The control plane adds them to the services that are called,
 * which it can do only to those that joined.
 */
export async function singleAddresses(calls: readonly ServiceCall[]): Promise<RunAddresses> {
  const ip = "127.0.0.1";
  const ports = await freePorts(5 + calls.length, ip);
  const [adminPort = 0, prometheusPort = 0, healthPort = 0, statusPort = 0, inbound = 0, ...rest] = ports;
  return {
    sidecar: { ip, adminPort, prometheusPort, healthPort, statusPort, sourceIp: null },
    inbound: { ip, port: inbound },
    calls: calls.map((call, k) => ({ ...call, bind: ip, bindPort: rest[k] ?? 0 })),
  };
}

/** Null when the address is free, else the system's code. */
function tryBind(ip: string, port: number): Promise<string | null> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    server.listen(port, ip, () => server.close(() => resolve(null)));
  });
}
