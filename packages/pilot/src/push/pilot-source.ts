import type { Node } from "@mixerless/wire/envoy/config/core/v3/base";
import {
  type GeneratedResources,
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

  /** By connection id. */
  get proxies(): ReadonlyMap<string, ProxyNode> {
    return this.#proxies;
  }

  /** Takes over a new revision. */
  update(push: PushContext): void {
    this.#push = push;
    this.#memo = new GenerationMemo(push);
  }

  open(node: Node, connectionId: string, _connection: ProxyConnection): ProxySession | RefusedStream {
    const parsed = parseProxyNode(node);
    if (typeof parsed === "string") return { code: StatusCode.invalidArgument, message: parsed };
    this.#proxies.set(connectionId, parsed);
    return {
      generate: (typeUrl, names) => this.generate(parsed, typeUrl, names),
      onClose: () => this.#proxies.delete(connectionId),
    };
  }

  generate(proxy: ProxyNode, typeUrl: string, names: WantedNames): GeneratedResources | undefined {
    const { telemetry, mutualTls } = this;
    const input = { proxy, push: this.#push, telemetry, mutualTls, memo: this.#memo };
    const generated = generate(input, typeUrl, names);
    return generated === undefined ? undefined : this.#encoder.encode(typeUrl, generated);
  }
}
