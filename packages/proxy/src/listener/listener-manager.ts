import type { Clock, Timer } from "@mixerless/clock";
import { TrafficDirection } from "@mixerless/wire/envoy/config/core/v3/base";
import type { Listener } from "@mixerless/wire/envoy/config/listener/v3/listener";
import type { FilterChain } from "@mixerless/wire/envoy/config/listener/v3/listener_components";
import type { Compiled, ConfigFault } from "../network/config-fault.ts";
import { ActiveListener } from "./active-listener.ts";
import {
  type ChainBuilder,
  type ChainOwner,
  type CompiledListener,
  chainsOf,
  compileListener,
  type LogCompiler,
} from "./compile-listener.ts";
import type { ChainFactory } from "./create-chain.ts";
import { type ListenerSocketFactory, type OwnedSocket, openSocket } from "./listener-socket.ts";
import { createListenerStats, type ListenerStats } from "./listener-stats.ts";
import { type PatienceTimes, SwapPatience } from "./swap-patience.ts";
import { Waiters } from "./waiters.ts";

export interface ListenerManagerDependencies extends PatienceTimes {
  readonly clock: Clock;
  readonly listen: ListenerSocketFactory;
  readonly createChain: (chain: FilterChain, owner: ChainOwner) => Compiled<ChainFactory>;
  readonly compileAccessLogs: LogCompiler;
  /** Whether a route configuration that is delivered apart has arrived. */
  readonly hasRoutes: (name: string) => boolean;
  /** Whether a cluster is known but cannot serve yet. */
  readonly isWarming: (cluster: string) => boolean;
  /** Milliseconds that a removed or changed chain keeps its connections; 45 s as Istio's proxies. */
  readonly drainTime: number;
  readonly log: (message: string) => void;
}

/** What `/listeners` and `/config_dump` show. */
export interface ListenerState {
  readonly name: string;
  readonly address: string;
  readonly status: "warming" | "binding" | "active" | "failed" | "stopped";
  /** Why it could not be bound. */
  readonly error: string | null;
  readonly stats: ListenerStats;
  readonly connections: number;
}

/** Which listeners are asked to drain or to stop. */
export type DrainScope = "all" | "inbound";

interface Managed {
  active: ActiveListener;
  /** Serves at another address until `active` is bound. */
  previous: ActiveListener | null;
  /** Waits for its routes, clusters and filters; the active one serves meanwhile. */
  next: CompiledListener | null;
  patience: SwapPatience | null;
  readonly stats: ListenerStats;
  started: boolean;
  error: string | null;
  retry: Timer | null;
}

const NOTHING_PENDING = { previous: null, next: null, patience: null, started: false, error: null, retry: null };

/** A port may be free again in a moment: another process that held it is going away. */
const BIND_RETRY = 1000;

/** The listeners by name: warming, binding, replacing and draining them. */
export class ListenerManager {
  readonly #dependencies: ListenerManagerDependencies;
  readonly #listeners = new Map<string, Managed>();
  readonly #stopping = new Set<ActiveListener>();
  /** Sockets of listeners that the present update has removed, by address. */
  readonly #orphans = new Map<string, OwnedSocket>();
  #draining: DrainScope | null = null;
  #halted: DrainScope | null = null;
  readonly #waiters = new Waiters();
  #closed = false;

  constructor(dependencies: ListenerManagerDependencies) {
    this.#dependencies = dependencies;
  }

  /** Everything that stands against a listener. Changes nothing and binds nothing. */
  check(message: Listener): readonly ConfigFault[] {
    const built: ChainFactory[] = [];
    const result = this.#compile(message, built, () => null);
    for (const factory of built) factory.close();
    return "faults" in result ? result.faults : [];
  }

  /** Adds or replaces a listener. With faults nothing has changed. */
  set(message: Listener): ConfigFault[] {
    const current = this.#listeners.get(message.name);
    const built: ChainFactory[] = [];
    const result = this.#compile(message, built, (identity) =>
      current === undefined ? null : findFactory(current, identity),
    );
    if ("faults" in result) {
      for (const factory of built) factory.close();
      return result.faults;
    }
    this.#accept(result.listener, current);
    return [];
  }

  /**
   * Drains and stops accepting. A listener that the same update adds at the same address takes the socket
   * over, as when a listener is renamed; hence to be called before {@link set}, and {@link releaseSockets}
   * after it. Unknown names are ignored.
   */
  remove(name: string): void {
    const managed = this.#listeners.get(name);
    if (managed === undefined) return;
    this.#listeners.delete(name);
    managed.retry?.cancel();
    const { active, previous, next } = managed;
    managed.patience?.cancel();
    if (next !== null) closeUnused(next, [active.config]);
    const socket = active.release();
    if (socket !== null) this.#orphans.set(active.config.address.text, socket);
    this.#stop(active);
    if (previous !== null) this.#stop(previous);
    this.#waiters.look();
  }

  /** Ends an update: closes the sockets of removed listeners that nobody has taken over. */
  releaseSockets(): void {
    for (const socket of this.#orphans.values()) socket.close();
    this.#orphans.clear();
  }

  /** Route configurations that the listeners, warming ones included, take from RDS. */
  get routeNames(): Set<string> {
    const names = new Set<string>();
    for (const { active, next } of this.#listeners.values()) {
      for (const name of routeNamesOf(active.config)) names.add(name);
      if (next !== null) for (const name of routeNamesOf(next)) names.add(name);
    }
    return names;
  }

  /** To be called when configurations of routes or filters have arrived or clusters have become warm. */
  dependenciesChanged(): void {
    for (const managed of this.#listeners.values()) this.#advance(managed);
  }

  get states(): ListenerState[] {
    return [...this.#listeners].map(([name, managed]) => ({
      name,
      address: (managed.active.socket?.address ?? managed.active.config.address).text,
      status: statusOf(managed),
      error: managed.error,
      stats: managed.stats,
      connections: managed.active.connections,
    }));
  }

  /** Resolves when no listener warms or binds any more; failed ones count as done. */
  settled(): Promise<void> {
    return this.#waiters.until(() => !this.#busy);
  }

  /** Resolves when no filter of a listener is starting any more. */
  started(): Promise<void> {
    return this.#waiters.until(() => {
      const chains = [...this.#listeners.values()].flatMap(({ active }) => [...chainsOf(active.config)]);
      return !chains.some(({ factory }) => factory.starting);
    });
  }

  /** Asks clients to reconnect elsewhere, those too that connect from now on. */
  drain(scope: DrainScope): void {
    this.#draining = wider(this.#draining, scope);
    for (const { active, previous } of this.#listeners.values()) {
      if (covers(scope, active.config)) active.drainConnections();
      if (previous !== null && covers(scope, previous.config)) previous.drainConnections();
    }
  }

  /** No new connections, not at listeners that come later either; open ones stay as they are. */
  stopAccepting(scope: DrainScope): void {
    this.#halted = wider(this.#halted, scope);
    for (const managed of this.#listeners.values()) {
      if (!covers(scope, managed.active.config)) continue;
      managed.retry?.cancel();
      managed.error = null;
      managed.previous?.stopAccepting();
      managed.active.stopAccepting();
    }
    this.#waiters.look();
  }

  /** Open connections of the named listeners, draining ones included. */
  connectionsOf(names: Iterable<string>): number {
    const wanted = new Set(names);
    const counted = new Set<ListenerStats>();
    for (const [name, { stats }] of this.#listeners) if (wanted.has(name)) counted.add(stats);
    for (const { stats } of this.#stopping) counted.add(stats);
    return [...counted].reduce((sum, stats) => sum + stats.downstreamCxActive, 0);
  }

  close(): void {
    this.#closed = true;
    this.releaseSockets();
    for (const { active, previous, retry, patience } of this.#listeners.values()) {
      retry?.cancel();
      patience?.cancel();
      active.close();
      previous?.close();
    }
    for (const listener of this.#stopping) listener.close();
    this.#listeners.clear();
    this.#stopping.clear();
  }

  /** New factories are added to `built`, also when there are faults. */
  #compile(message: Listener, built: ChainFactory[], find: (identity: string) => ChainFactory | null) {
    const { createChain, compileAccessLogs } = this.#dependencies;
    const build: ChainBuilder = (chain, owner, identity, faults) => {
      const kept = find(identity);
      if (kept !== null) return kept;
      const made = createChain(chain, owner);
      if (made.ok) built.push(made.value);
      else faults.push(...made.faults);
      return made.ok ? made.value : null;
    };
    return compileListener(message, build, compileAccessLogs);
  }

  #accept(compiled: CompiledListener, current: Managed | undefined): void {
    if (current === undefined) {
      const stats = createListenerStats();
      const active = this.#create(compiled, stats);
      const managed: Managed = { active, stats, ...NOTHING_PENDING };
      this.#listeners.set(compiled.name, managed);
      this.#advance(managed);
      return;
    }
    const superseded = current.next;
    current.next = compiled;
    current.patience?.cancel();
    const { clock } = this.#dependencies;
    current.patience = new SwapPatience(clock, this.#dependencies, () => this.#advance(current));
    if (superseded !== null) closeUnused(superseded, [current.active.config, compiled]);
    this.#advance(current);
  }

  /** Moves a listener as far on as what it needs allows. */
  #advance(managed: Managed): void {
    const { next, patience } = managed;
    const { isWarming } = this.#dependencies;
    if (next !== null && this.#isWarm(next) && patience?.waitsFor(next, isWarming) !== true) {
      managed.next = null;
      patience?.cancel();
      this.#swap(managed, next);
    }
    if (!managed.started && this.#isWarm(managed.active.config)) void this.#bind(managed);
    this.#waiters.look();
  }

  #swap(managed: Managed, next: CompiledListener): void {
    const { active } = managed;
    const sameAddress =
      active.config.address.text === next.address.text && active.config.bindToPort === next.bindToPort;
    if (sameAddress) {
      active.replace(next, this.#dependencies.drainTime);
      return;
    }
    // The new address first, so that no moment is without one, however long it takes to bind it.
    if (managed.previous === null) managed.previous = active;
    else this.#stop(active);
    managed.active = this.#create(next, managed.stats);
    managed.started = false;
    managed.error = null;
    managed.retry?.cancel();
  }

  #create(config: CompiledListener, stats: ListenerStats): ActiveListener {
    const active = new ActiveListener(config, this.#dependencies.clock, stats);
    if (covers(this.#draining, config)) active.drainConnections();
    if (covers(this.#halted, config)) active.stopAccepting();
    return active;
  }

  async #bind(managed: Managed): Promise<void> {
    managed.started = true;
    managed.error = null;
    const { active } = managed;
    const { address, bindToPort } = active.config;
    const socket = bindToPort && !active.stopped ? this.#takeSocket(managed, address.text) : null;
    if (!bindToPort || active.stopped) {
      this.#bound(managed, active);
    } else if (socket !== null) {
      active.bound(socket);
      this.#bound(managed, active);
    } else {
      await this.#open(managed, active);
      this.#waiters.look();
    }
  }

  /** The socket of an address that this listener left or another one was removed from just now. */
  #takeSocket({ previous }: Managed, address: string): OwnedSocket | null {
    if (previous?.config.address.text === address) return previous.release();
    const orphan = this.#orphans.get(address) ?? null;
    this.#orphans.delete(address);
    return orphan;
  }

  async #open(managed: Managed, active: ActiveListener): Promise<void> {
    try {
      active.bound(await openSocket(this.#dependencies.listen, active.config.address, active));
      this.#bound(managed, active);
    } catch (error) {
      this.#bindFailed(managed, active, error);
    }
  }

  #bound(managed: Managed, active: ActiveListener): void {
    if (managed.active !== active) return;
    managed.error = null;
    if (managed.previous !== null) this.#stop(managed.previous);
    managed.previous = null;
  }

  #bindFailed(managed: Managed, active: ActiveListener, error: unknown): void {
    const reason = error instanceof Error ? error.message : String(error);
    const { name, address } = active.config;
    if (managed.error !== reason)
      this.#dependencies.log(`Listener ${name} cannot bind ${address.text}: ${reason}. Trying again every second.`);
    managed.error = reason;
    if (this.#closed || managed.active !== active || active.stopped) return;
    managed.retry = this.#dependencies.clock.after(BIND_RETRY, () => {
      // The error stays visible until an attempt succeeds.
      if (this.#listeners.get(name) === managed && managed.active === active) void this.#open(managed, active);
    });
  }

  #isWarm(config: CompiledListener): boolean {
    for (const { factory } of chainsOf(config)) if (factory.warming) return false;
    return [...routeNamesOf(config)].every((name) => this.#dependencies.hasRoutes(name));
  }

  #stop(listener: ActiveListener): void {
    const { clock, drainTime } = this.#dependencies;
    this.#stopping.add(listener);
    listener.stop(drainTime);
    clock.after(drainTime + 1, () => {
      this.#stopping.delete(listener);
    });
  }

  get #busy(): boolean {
    return [...this.#listeners.values()].some((managed) => ["warming", "binding"].includes(statusOf(managed)));
  }
}

function statusOf(managed: Managed): ListenerState["status"] {
  if (managed.active.stopped) return "stopped";
  if (managed.error !== null) return "failed";
  if (!managed.started || managed.next !== null) return "warming";
  return managed.active.socket === null && managed.active.config.bindToPort ? "binding" : "active";
}

function covers(scope: DrainScope | null, config: CompiledListener): boolean {
  return scope === "all" || (scope === "inbound" && config.direction === TrafficDirection.INBOUND);
}

function wider(a: DrainScope | null, b: DrainScope): DrainScope {
  return a === "all" ? a : b;
}

function routeNamesOf(config: CompiledListener): Set<string> {
  const names = new Set<string>();
  for (const chain of chainsOf(config)) for (const name of chain.factory.routeConfigNames) names.add(name);
  return names;
}

/** Closes the factories of a configuration that never came into use, but for those that others have too. */
function closeUnused(config: CompiledListener, others: readonly CompiledListener[]): void {
  const used = new Set(others.flatMap((other) => [...chainsOf(other)].map((chain) => chain.identity)));
  for (const chain of chainsOf(config)) if (!used.has(chain.identity)) chain.factory.close();
}

function findFactory(managed: Managed, identity: string): ChainFactory | null {
  for (const config of [managed.next, managed.active.config]) {
    if (config === null) continue;
    for (const chain of chainsOf(config)) if (chain.identity === identity) return chain.factory;
  }
  return null;
}
