import { parseSpiffeId } from "@mixerless/identity";
import type { Node } from "@mixerless/wire/envoy/config/core/v3/base";
import {
  type GeneratedResources,
  type PeerIdentity,
  type ProxyConnection,
  type ProxySession,
  type RefusedStream,
  type ResourceSource,
  StatusCode,
} from "@mixerless/xds";
import { GenerationMemo } from "../generators/generation-memo.ts";
import type { TelemetryMode } from "../generators/generator-input.ts";
import { parseProxyNode } from "../model/parse-proxy-node.ts";
import type { ProxyNode } from "../model/proxy-node.ts";
import type { PushContext } from "../model/push-context.ts";
import { generate, ResourceEncoder, type WantedNames } from "./generate-resources.ts";

/**
 * The resources of every connected proxy, always from the newest snapshot. What a push really sends is
 * decided by content: a resource whose bytes did not change stays at home.
 */
export class PilotSource implements ResourceSource {
  #push: PushContext;
  #memo: GenerationMemo;
  readonly #encoder = new ResourceEncoder();
  readonly telemetry: TelemetryMode;
  readonly mutualTls: boolean;
  readonly #proxies = new Map<string, ProxyNode>();

  /** `mutualTls`: there is an authority that gives workloads identities. */
  constructor(push: PushContext, telemetry: TelemetryMode, mutualTls = false) {
    this.#push = push;
    this.#memo = new GenerationMemo(push);
    this.telemetry = telemetry;
    this.mutualTls = mutualTls;
  }

  get current(): PushContext {
    return this.#push;
  }

  /** What the resources of all proxies are made from. */
  get facts() {
    return { push: this.#push, telemetry: this.telemetry, mutualTls: this.mutualTls };
  }

  /** By connection id. */
  get proxies(): ReadonlyMap<string, ProxyNode> {
    return this.#proxies;
  }

  /** Takes over a new revision. */
  update(push: PushContext): void {
    this.#push = push;
    this.#memo = new GenerationMemo(push);
  }

  open(node: Node, connectionId: string, connection: ProxyConnection): ProxySession | RefusedStream {
    const parsed = parseProxyNode(node);
    if (typeof parsed === "string") return { code: StatusCode.invalidArgument, message: parsed };
    this.#proxies.set(connectionId, parsed);
    const authenticated = belongsTo(connection.identity, parsed.namespace);
    return {
      generate: (typeUrl, names) => this.generate(parsed, typeUrl, names, authenticated),
      onClose: () => this.#proxies.delete(connectionId),
    };
  }

  /** `authenticated`: the proxy has proven its namespace. */
  generate(
    proxy: ProxyNode,
    typeUrl: string,
    names: WantedNames,
    authenticated = false,
  ): GeneratedResources | undefined {
    const { telemetry, mutualTls } = this;
    const input = { proxy, push: this.#push, telemetry, mutualTls, authenticated, memo: this.#memo };
    const generated = generate(input, typeUrl, names);
    return generated === undefined ? undefined : this.#encoder.encode(typeUrl, generated);
  }
}

/** Whether one of a peer's identities is of a namespace; nobody's is who was not asked for any. */
function belongsTo(identity: PeerIdentity | null, namespace: string): boolean {
  return identity?.names.some((name) => parseSpiffeId(name)?.namespace === namespace) ?? false;
}
