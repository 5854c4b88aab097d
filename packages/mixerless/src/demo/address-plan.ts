import { createServer } from "node:net";
import { type DemoWorkload, hasApplication, WORKLOADS } from "./workloads.ts";

export interface Endpoint {
  readonly ip: string;
  readonly port: number;
}

/** Where one workload listens and where it calls. */
export interface WorkloadAddresses {
  readonly workload: DemoWorkload;
  readonly inbound: Endpoint;
  /** Null for the gateway. */
  readonly application: Endpoint | null;
  readonly admin: Endpoint;
  readonly status: Endpoint;
  readonly health: Endpoint;
  readonly prometheus: Endpoint;
  /** Source of upstream connections; null where all share one address. */
  readonly sourceIp: string | null;
  /** By service called: the address that stands for it. */
  readonly egress: ReadonlyMap<string, Endpoint>;
}

export interface AddressPlan {
  readonly loopback: "many" | "single";
  readonly pilotHttp: Endpoint;
  readonly pilotGrpc: Endpoint;
  /** xDS and certificates by TLS. */
  readonly pilotSecure: Endpoint;
  readonly console: Endpoint;
  readonly workloads: readonly WorkloadAddresses[];
  /** Gives the addresses back, once nothing uses them any more. */
  release(): void;
}

const SERVICE_PORT = 9080;
const GATEWAY_PORT = 8080;
const FIRST_BLOCK = 10;
const BLOCKS = 10;
const RESERVATION_HOST = 254;
const RESERVATION_PORT = 15000;

/** Ports that nobody uses now, all different. */
export async function freePorts(count: number, ip = "127.0.0.1"): Promise<number[]> {
  const servers = await Promise.all(Array.from({ length: count }, () => listen(ip, 0)));
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

/** Addresses for a mesh on this machine [decision 7]. Rejects when loopback addresses cannot be bound. */
export async function planAddresses(loopback: "many" | "single"): Promise<AddressPlan> {
  const applications = WORKLOADS.filter(hasApplication).length;
  const [pilotHttp = 0, pilotGrpc = 0, pilotSecure = 0, console = 0, ...rest] = await freePorts(
    4 + applications + (loopback === "single" ? 64 : 0),
  );
  const next = () => {
    const port = rest.shift();
    if (port === undefined) throw new Error("The plan needs more ports than were asked for.");
    return port;
  };
  const { block, release } = loopback === "many" ? await takeBlock() : { block: 0, release: () => {} };
  const workloads = WORKLOADS.map((workload, i) =>
    loopback === "many" ? manyAddresses(workload, i + 1, block, next) : singleAddresses(workload, next),
  );
  const pilot = { pilotHttp: local(pilotHttp), pilotGrpc: local(pilotGrpc), pilotSecure: local(pilotSecure) };
  return { loopback, ...pilot, console: local(console), workloads, release };
}

/** Workload n has 127.0.<block>.n for itself and 127.<block - 9>.n.k for the k-th service that it calls. */
function manyAddresses(workload: DemoWorkload, n: number, block: number, next: () => number): WorkloadAddresses {
  const ip = `127.0.${block}.${n}`;
  const egress = workload.calls.map((service, k): [string, Endpoint] => [
    service,
    { ip: `127.${block - 9}.${n}.${k + 1}`, port: SERVICE_PORT },
  ]);
  return {
    workload,
    inbound: { ip, port: hasApplication(workload) ? SERVICE_PORT : GATEWAY_PORT },
    application: hasApplication(workload) ? local(next()) : null,
    admin: { ip, port: 15000 },
    status: { ip, port: 15020 },
    health: { ip, port: 15021 },
    prometheus: { ip, port: 15090 },
    sourceIp: ip,
    egress: new Map(egress),
  };
}

/** Where only 127.0.0.1 can be bound, free ports tell the workloads apart. */
function singleAddresses(workload: DemoWorkload, next: () => number): WorkloadAddresses {
  return {
    workload,
    application: hasApplication(workload) ? local(next()) : null,
    inbound: local(next()),
    admin: local(next()),
    status: local(next()),
    health: local(next()),
    prometheus: local(next()),
    sourceIp: null,
    egress: new Map(workload.calls.map((service) => [service, local(next())])),
  };
}

/**
 * Takes the first block of addresses that no other demo has. An address that no workload gets stands for
 * the block and stays bound, so that two demos which start together cannot take the same one.
 */
async function takeBlock(): Promise<{ readonly block: number; readonly release: () => void }> {
  let reason = "";
  for (let block = FIRST_BLOCK; block < FIRST_BLOCK + BLOCKS; block++) {
    try {
      const reservation = await listen(`127.0.${block}.${RESERVATION_HOST}`, RESERVATION_PORT);
      reservation.unref();
      // Something else than a demo may sit there.
      const free = await listen(`127.0.${block}.1`, RESERVATION_PORT).catch((error: Error) => error);
      if (!(free instanceof Error)) {
        free.close();
        return { block, release: () => reservation.close() };
      }
      reservation.close();
      reason = free.message;
    } catch (error) {
      reason = (error as Error).message;
      if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE") break;
    }
  }
  throw new Error(
    `No loopback addresses for the sidecars: ${reason}. Use --loopback single where only 127.0.0.1 can be bound, or stop other demos.`,
  );
}

function listen(ip: string, port: number) {
  return new Promise<ReturnType<typeof createServer>>((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(port, ip, () => resolve(server));
  });
}

function local(port: number): Endpoint {
  return { ip: "127.0.0.1", port };
}

export function text({ ip, port }: Endpoint): string {
  return `${ip}:${port}`;
}
