import type { Node } from "@mixerless/wire/envoy/config/core/v3/base";
import {
  type ChangedResources,
  type GeneratedResources,
  type ProxyConnection,
  type ProxySession,
  type RefusedStream,
  type ResourceSource,
  StatusCode,
} from "@mixerless/xds";
import type { TelemetryMode } from "../generators/generator-input.ts";
import { parseProxyNode } from "../model/parse-proxy-node.ts";
import type { ProxyNode } from "../model/proxy-node.ts";
import type { PushContext } from "../model/push-context.ts";
import { encodeResources, GENERATED_TYPES, generate, type WantedNames } from "./generate-resources.ts";

/**
 * The resources of every connected proxy, always from the newest snapshot. What a push really sends is
 * decided by content: a resource whose bytes did not change stays at home.
 */
export class PilotSource implements ResourceSource {
  #push: PushContext;
  readonly telemetry: TelemetryMode;
  readonly #proxies = new Map<string, ProxyNode>();

  constructor(push: PushContext, telemetry: TelemetryMode) {
    this.#push = push;
    this.telemetry = telemetry;
  }

  get current(): PushContext {
    return this.#push;
  }

  /** By connection id. */
  get proxies(): ReadonlyMap<string, ProxyNode> {
    return this.#proxies;
  }

  /** Takes over a new snapshot; answers what is to be pushed. */
  update(push: PushContext): ChangedResources {
    this.#push = push;
    return new Map(GENERATED_TYPES.map((typeUrl) => [typeUrl, "all" as const]));
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
    const generated = generate({ proxy, push: this.#push, telemetry: this.telemetry }, typeUrl, names);
    return generated === undefined ? undefined : encodeResources(typeUrl, generated);
  }
}
