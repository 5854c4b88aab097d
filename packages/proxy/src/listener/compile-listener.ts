import { isIP } from "node:net";
import { create } from "@bufbuild/protobuf";
import { contentHash } from "@mixerless/wire";
import type { AccessLog } from "@mixerless/wire/envoy/config/accesslog/v3/accesslog";
import type { TrafficDirection } from "@mixerless/wire/envoy/config/core/v3/base";
import { type Listener, ListenerSchema } from "@mixerless/wire/envoy/config/listener/v3/listener";
import { type FilterChain, FilterChainSchema } from "@mixerless/wire/envoy/config/listener/v3/listener_components";
import { TlsInspectorSchema } from "@mixerless/wire/envoy/extensions/filters/listener/tls_inspector/v3/tls_inspector";
import type { AccessLogger } from "../access-log/access-logger.ts";
import { milliseconds } from "../http/routing/duration.ts";
import type { ConfigFault } from "../network/config-fault.ts";
import { configuredType } from "../network/configured-type.ts";
import type { ListenerFacts } from "../stream/stream-info.ts";
import { socketAddress } from "../transport/socket-address.ts";
import type { BufferLimit, SocketAddress } from "../transport/transport.ts";
import type { ChainFactory } from "./create-chain.ts";
import { type CompiledMatch, compileMatch } from "./filter-chain-match.ts";

/** A filter chain ready for connections. */
export interface ListenerChain {
  /** Changes whenever anything that a connection of the chain depends on has changed. */
  readonly identity: string;
  readonly name: string;
  readonly match: CompiledMatch;
  readonly facts: ListenerFacts;
  readonly factory: ChainFactory;
}

/** An `envoy.config.listener.v3.Listener` ready for use. */
export interface CompiledListener {
  readonly name: string;
  /** For connections that never came to a filter chain. */
  readonly facts: ListenerFacts;
  readonly address: SocketAddress;
  readonly bindToPort: boolean;
  readonly direction: TrafficDirection;
  /** Null: the first bytes are not looked at before a chain is chosen. */
  readonly inspection: InspectionSettings | null;
  readonly chains: readonly ListenerChain[];
  readonly defaultChain: ListenerChain | null;
  readonly accessLogs: readonly AccessLogger[];
  /** Of each connection; null: the proxy's own. */
  readonly bufferLimit: BufferLimit;
}

export interface InspectionSettings {
  /** Milliseconds that a client has for its first bytes; 0: no limit. */
  readonly timeout: number;
  /** A client that sent nothing by then counts as one without TLS; a server may be the one to speak first. */
  readonly continueOnTimeout: boolean;
}

/** What a chain is made for. */
export interface ChainOwner {
  readonly facts: ListenerFacts;
  /** Of the listener, as configured; its numbers are told apart by it. */
  readonly address: string;
  /** `per_connection_buffer_limit_bytes`; null where it is not said. */
  readonly bufferLimit: BufferLimit;
}

/** Makes the factory of a chain, or takes the one that an unchanged chain has already. Gives null after adding faults. */
export type ChainBuilder = (
  chain: FilterChain,
  owner: ChainOwner,
  identity: string,
  faults: ConfigFault[],
) => ChainFactory | null;

/** Compiles an `access_log` list. */
export type LogCompiler = (logs: readonly AccessLog[], path: string, faults: ConfigFault[]) => readonly AccessLogger[];

export function compileListener(
  message: Listener,
  buildChain: ChainBuilder,
  compileLogs: LogCompiler,
): { listener: CompiledListener } | { faults: ConfigFault[] } {
  const faults: ConfigFault[] = [];
  const address = compileAddress(message, faults);
  const inspection = compileInspection(message, faults);
  const common = commonIdentity(message);
  const owner = { address: address?.text ?? "", bufferLimit: message.perConnectionBufferLimitBytes ?? null };
  const compileChain = (chain: FilterChain, path: string) =>
    compileOne(message, chain, owner, path, common, buildChain, faults);
  const chains = message.filterChains.flatMap((chain, i) => compileChain(chain, `filterChains[${i}]`) ?? []);
  const fallback = message.defaultFilterChain;
  const defaultChain = fallback === undefined ? null : compileChain(fallback, "defaultFilterChain");
  if (message.filterChains.length === 0 && fallback === undefined) {
    faults.push({ path: "filterChains", message: "a listener needs at least one filter chain" });
  }
  refuseDuplicates(chains, faults);
  const accessLogs = compileLogs(message.accessLog, "accessLog", faults);
  if (address === null || faults.length > 0) return { faults };
  const bindToPort = message.bindToPort ?? true;
  return {
    listener: {
      name: message.name,
      facts: factsOf(message, ""),
      address,
      bindToPort,
      direction: message.trafficDirection,
      inspection,
      chains,
      defaultChain,
      accessLogs,
      bufferLimit: owner.bufferLimit,
    },
  };
}

function compileOne(
  message: Listener,
  chain: FilterChain,
  owner: Omit<ChainOwner, "facts">,
  path: string,
  common: string,
  buildChain: ChainBuilder,
  faults: ConfigFault[],
): ListenerChain | null {
  const found: ConfigFault[] = [];
  const match = compileMatch(chain.filterChainMatch, found);
  const facts = factsOf(message, chain.name);
  const identity = `${common}/${contentHash(FilterChainSchema, chain)}`;
  const factory = found.length > 0 ? null : buildChain(chain, { facts, ...owner }, identity, found);
  for (const fault of found) faults.push({ path: `${path}.${fault.path}`, message: fault.message });
  return factory === null ? null : { identity, name: chain.name, match, facts, factory };
}

function factsOf(message: Listener, filterChainName: string): ListenerFacts {
  return {
    name: message.name,
    direction: message.trafficDirection,
    filterChainName,
    metadata: message.metadata?.filterMetadata ?? {},
  };
}

/** Everything of the listener that its chains see, so that a change of it counts as a change of each chain. */
function commonIdentity(message: Listener): string {
  const { name, trafficDirection, metadata, perConnectionBufferLimitBytes, address } = message;
  const common = create(ListenerSchema, { name, trafficDirection });
  if (address !== undefined) common.address = address;
  if (metadata !== undefined) common.metadata = metadata;
  if (perConnectionBufferLimitBytes !== undefined) common.perConnectionBufferLimitBytes = perConnectionBufferLimitBytes;
  return contentHash(ListenerSchema, common);
}

function compileAddress(message: Listener, faults: ConfigFault[]): SocketAddress | null {
  const address = message.address?.address;
  if (address?.case !== "socketAddress") {
    faults.push({
      path: "address",
      message: `${address?.case ?? "an empty address"} is not supported; use socketAddress`,
    });
    return null;
  }
  const { address: ip, portSpecifier } = address.value;
  if (isIP(ip) === 0) {
    faults.push({ path: "address.socketAddress.address", message: `"${ip}" is not an IP address` });
    return null;
  }
  if (portSpecifier.case !== "portValue") {
    faults.push({ path: "address.socketAddress.portValue", message: "a port number is needed" });
    return null;
  }
  return socketAddress(ip, portSpecifier.value);
}

/** Envoy's default for `listener_filters_timeout`, milliseconds. */
const INSPECTION_TIMEOUT = 15_000;

function compileInspection(message: Listener, faults: ConfigFault[]): InspectionSettings | null {
  let inspects = false;
  message.listenerFilters.forEach((filter, i) => {
    const type = filter.configType.case === "typedConfig" ? configuredType(filter.configType.value) : "";
    if (type === TlsInspectorSchema.typeName) inspects = true;
    else faults.push({ path: `listenerFilters[${i}]`, message: `listener filter "${filter.name}" is not supported` });
  });
  if (!inspects) return null;
  return {
    timeout: milliseconds(message.listenerFiltersTimeout) ?? INSPECTION_TIMEOUT,
    continueOnTimeout: message.continueOnListenerFiltersTimeout,
  };
}

function refuseDuplicates(chains: readonly ListenerChain[], faults: ConfigFault[]): void {
  const seen = new Map<string, string>();
  for (const chain of chains) {
    const twin = seen.get(chain.match.key);
    if (twin !== undefined) {
      const message = `"${chain.name}" and "${twin}" match the same connections`;
      faults.push({ path: "filterChains", message });
    }
    seen.set(chain.match.key, chain.name);
  }
}

/** All chains, the one for connections that no other is for among them. */
export function* chainsOf(config: CompiledListener) {
  yield* config.chains;
  if (config.defaultChain !== null) yield config.defaultChain;
}
