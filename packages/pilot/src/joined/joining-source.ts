import type { Node } from "@mixerless/wire/envoy/config/core/v3/base";
import {
  type ProxyConnection,
  type ProxySession,
  type RefusedStream,
  type ResourceSource,
  StatusCode,
} from "@mixerless/xds";
import { parseProxyNode } from "../model/parse-proxy-node.ts";
import { type JoinRequest, parseJoin } from "./join-request.ts";
import type { JoinedWorkloads } from "./joined-workloads.ts";

/** How many refusals are remembered for those who ask why they are not taken in. */
const REMEMBERED = 100;

/** A source that takes joining workloads in before it answers them, and passes everything else on. */
export class JoiningSource implements ResourceSource {
  readonly #inner: ResourceSource;
  readonly #joined: JoinedWorkloads;
  readonly #onJoined: () => void;
  readonly #refused = new Map<string, string>();

  /** `onJoined` makes `inner` answer from what has just been taken in. */
  constructor(inner: ResourceSource, joined: JoinedWorkloads, onJoined: () => void) {
    this.#inner = inner;
    this.#joined = joined;
    this.#onJoined = onJoined;
  }

  /** Why a joining instance was refused. */
  refusal(instance: string): string | null {
    return this.#refused.get(instance) ?? null;
  }

  open(node: Node, connectionId: string, connection: ProxyConnection): ProxySession | RefusedStream {
    const proxy = parseProxyNode(node);
    const request = typeof proxy === "string" ? null : parseJoin(proxy);
    if (request === null) return this.#inner.open(node, connectionId, connection);
    if (typeof request === "string") return { code: StatusCode.invalidArgument, message: request };
    const clash = this.#joined.join(request, connectionId);
    if (clash !== null) return this.#refuse(request, clash);
    this.#refused.delete(request.instance);
    this.#onJoined();
    const session = this.#inner.open(node, connectionId, connection);
    if (!("generate" in session)) {
      this.#joined.disconnect(request, connectionId);
      return session;
    }
    return {
      ...session,
      onHealth: (healthy) => this.#joined.report(request, connectionId, healthy),
      onClose: () => {
        session.onClose();
        this.#joined.disconnect(request, connectionId);
      },
    };
  }

  #refuse(request: JoinRequest, message: string): RefusedStream {
    this.#refused.set(request.instance, message);
    const [oldest] = this.#refused.keys();
    if (this.#refused.size > REMEMBERED && oldest !== undefined) this.#refused.delete(oldest);
    return { code: StatusCode.invalidArgument, message };
  }
}
