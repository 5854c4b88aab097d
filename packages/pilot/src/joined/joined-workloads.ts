import type { Clock, Timer } from "@mixerless/clock";
import { objectKey } from "../config/config-object.ts";
import type { ConfigStore, SourceChange } from "../config/config-store.ts";
import { readConfig } from "../config/read-config.ts";
import type { JoinRequest } from "./join-request.ts";
import { joinedFiles } from "./joined-files.ts";

/** Milliseconds that a workload stays after its connection ended, so that a reconnection changes nothing. */
const LEAVE_DELAY = 10_000;
/** Workloads that may join; each costs three objects. */
const MAX_JOINED = 1000;

interface Member {
  readonly request: JoinRequest;
  readonly since: number;
  /** Null while nobody is connected. */
  connection: string | null;
  /** What it last said of itself; true for one that says nothing. */
  healthy: boolean;
  leaving: Timer | null;
}

/** One joined workload, as debug pages and commands show it. */
export interface JoinedWorkload {
  readonly name: string;
  readonly namespace: string;
  readonly service: string;
  readonly address: string;
  readonly owner: string;
  readonly instance: string;
  readonly joinedAt: string;
  readonly connected: boolean;
  /** Whether it listens, so that it may be sent requests. */
  readonly healthy: boolean;
}

/** The workloads that joined over ADS, kept in the store as if files defined them. */
export class JoinedWorkloads {
  readonly #store: ConfigStore;
  readonly #clock: Clock;
  readonly #root: number;
  readonly #members = new Map<string, Member>();
  #files = new Map<string, string>();

  /** `root`: rank behind every configured path. */
  constructor(store: ConfigStore, clock: Clock, root: number) {
    this.#store = store;
    this.#clock = clock;
    this.#root = root;
  }

  list(): JoinedWorkload[] {
    return [...this.#members.values()].map(({ request, since, connection, healthy }) => ({
      name: request.name,
      namespace: request.namespace,
      service: request.service,
      address: `${request.address}:${request.inboundPort}`,
      owner: request.owner,
      instance: request.instance,
      joinedAt: new Date(since).toISOString(),
      connected: connection !== null,
      healthy,
    }));
  }

  /** Takes the workload in, or says with whom it clashes. */
  join(request: JoinRequest, connection: string): string | null {
    const key = keyOf(request);
    const before = this.#members.get(key);
    const clash = this.#clash(request, before);
    if (clash !== null) return clash;
    before?.leaving?.cancel();
    const same = before?.request.instance === request.instance;
    const since = same && before !== undefined ? before.since : this.#clock.now();
    // Whoever comes back is as well as it was; all others have to say so first.
    const healthy = same && before !== undefined ? before.healthy : !request.reportsHealth;
    this.#members.set(key, { request, since, connection, healthy, leaving: null });
    const fault = this.#write();
    if (fault === null) return null;
    this.#members.delete(key);
    this.#write();
    return fault;
  }

  /** What the workload of this connection says of itself. One that did not say that it would is not asked. */
  report(request: JoinRequest, connection: string, healthy: boolean): void {
    const member = this.#members.get(keyOf(request));
    if (member?.connection !== connection || !request.reportsHealth || member.healthy === healthy) return;
    member.healthy = healthy;
    this.#write();
  }

  /**
   * The connection ended. One that was replaced meanwhile ends without effect. A workload that is not well has nothing
   * that a reconnection could keep, so it goes at once: the end of its program looks like this.
   */
  disconnect(request: JoinRequest, connection: string): void {
    const key = keyOf(request);
    const member = this.#members.get(key);
    if (member === undefined || member.connection !== connection) return;
    member.connection = null;
    const leave = () => {
      this.#members.delete(key);
      this.#write();
    };
    if (member.healthy) member.leaving = this.#clock.after(LEAVE_DELAY, leave);
    else leave();
  }

  close(): void {
    for (const { leaving } of this.#members.values()) leaving?.cancel();
    this.#members.clear();
  }

  #clash(request: JoinRequest, before: Member | undefined): string | null {
    const { namespace, name, service } = request;
    if (before !== undefined && before.connection !== null && before.request.instance !== request.instance) {
      const { address, owner } = before.request;
      return `the name ${name}.${namespace} is taken by ${owner || "another workload"} at ${address}, joined ${new Date(before.since).toISOString()}. Give another --name or --version, or stop that one`;
    }
    if (before === undefined && this.#members.size >= MAX_JOINED) return `${MAX_JOINED} workloads have joined already`;
    for (const kind of ["WorkloadEntry", "Pod", "Sidecar"] as const) {
      const found = this.#elsewhere(kind, namespace, name);
      if (found !== null) return `the name ${name}.${namespace} is taken by the ${kind} in ${found}. ${OTHER}`;
    }
    return this.#serviceClash(request) ?? this.#memberClash(request, service);
  }

  /** A service that files define can be joined by a workload that it selects, on a port that it has. */
  #serviceClash({ namespace, service, protocol, servicePort, labels }: JoinRequest): string | null {
    const defined = this.#store.snapshot().get(objectKey("Service", namespace, service));
    if (defined === undefined || isJoined(defined.origin.file)) return null;
    const spec = defined.raw.spec as {
      selector?: Record<string, string>;
      ports?: { name?: string; port: number }[];
    };
    const place = `${defined.origin.file}:${defined.origin.line}`;
    const selector = Object.entries(spec.selector ?? {});
    if (selector.length === 0 || selector.some(([key, value]) => labels[key] !== value))
      return `the Service ${namespace}/${service} in ${place} does not select app=${labels.app},version=${labels.version}. ${OTHER}`;
    const port = spec.ports?.find((entry) => entry.port === servicePort);
    if (port?.name !== protocol) {
      const known = spec.ports?.map((entry) => `${entry.port} (${entry.name ?? "unnamed"})`).join(", ");
      return `the Service ${namespace}/${service} in ${place} has the ports ${known}, not ${servicePort} (${protocol}). Give --port and --protocol of one of them, or another --name`;
    }
    return null;
  }

  /** Versions of one service have the same port. */
  #memberClash(request: JoinRequest, service: string): string | null {
    for (const { request: other } of this.#members.values()) {
      if (other.namespace !== request.namespace || other.service !== service || other.name === request.name) continue;
      if (other.servicePort === request.servicePort && other.protocol === request.protocol) continue;
      return `the service ${service}.${request.namespace} has the port ${other.servicePort} (${other.protocol}) by ${other.name}, joined by ${other.owner || "another workload"}; this is ${request.servicePort} (${request.protocol}). Give the same --port and --protocol, or another --name`;
    }
    return null;
  }

  #elsewhere(kind: string, namespace: string, name: string): string | null {
    const object = this.#store.snapshot().get(objectKey(kind, namespace, name));
    if (object === undefined || isJoined(object.origin.file)) return null;
    return `${object.origin.file}:${object.origin.line}`;
  }

  /** Brings the store in step; answers the first error in what was written. */
  #write(): string | null {
    const files = joinedFiles(
      [...this.#members.values()],
      ({ namespace, service }) => this.#elsewhere("Service", namespace, service) !== null,
    );
    const changes: SourceChange[] = [];
    let error: string | null = null;
    for (const file of this.#files.keys()) if (!files.has(file)) changes.push({ removed: file });
    for (const [file, text] of files) {
      if (this.#files.get(file) === text) continue;
      const reading = readConfig({ file, text, root: this.#root });
      const fault = reading.faults.find(({ severity }) => severity === "error");
      if (fault !== undefined) error ??= `${fault.object} ${fault.path}: ${fault.message}`;
      changes.push({ reading });
    }
    this.#files = files;
    if (changes.length > 0) this.#store.apply(changes);
    return error;
  }
}

const OTHER = "Give another --name or --version";

function keyOf({ namespace, name }: JoinRequest): string {
  return `${namespace}/${name}`;
}

function isJoined(file: string): boolean {
  return file.startsWith("joined/");
}
