import { create } from "@bufbuild/protobuf";
import { parseSpiffeId } from "@mixerless/identity";
import { bytesHash, packAny } from "@mixerless/wire";
import type { Node } from "@mixerless/wire/envoy/config/core/v3/base";
import { ProxyConfigSchema } from "@mixerless/wire/istio/mesh/proxy_config";
import {
  type GeneratedResources,
  type ProxyConnection,
  type ProxySession,
  type RefusedStream,
  type ResourceSource,
  StatusCode,
  TypeUrl,
} from "@mixerless/xds";
import { parseProxyNode } from "../model/parse-proxy-node.ts";

/** The only resource of its type. */
const NAME = "default";

/**
 * A source that lets a proxy be only who it has proven to be, tells everybody which roots to trust, and passes
 * everything else on [control-plane §5.2].
 */
export class IdentifiedSource implements ResourceSource {
  readonly #inner: ResourceSource;
  readonly #roots: () => readonly string[];

  /** `roots`: PEM of the roots of this mesh. */
  constructor(inner: ResourceSource, roots: () => readonly string[]) {
    this.#inner = inner;
    this.#roots = roots;
  }

  open(node: Node, connectionId: string, connection: ProxyConnection): ProxySession | RefusedStream {
    const mismatch = nodeMismatch(node, connection.identity?.names ?? null);
    if (mismatch !== null) return { code: StatusCode.unauthenticated, message: mismatch };
    if (wantsOnlyRoots(node))
      return {
        generate: (typeUrl) => (typeUrl === TypeUrl.proxyConfig ? this.#proxyConfig() : undefined),
        onClose: () => {},
      };
    const session = this.#inner.open(node, connectionId, connection);
    if (!("generate" in session)) return session;
    return {
      ...session,
      generate: (typeUrl, names) =>
        typeUrl === TypeUrl.proxyConfig ? this.#proxyConfig() : session.generate(typeUrl, names),
    };
  }

  #proxyConfig(): GeneratedResources {
    const any = rootsResource(this.#roots());
    return new Map([[NAME, { version: bytesHash(any.value), any }]]);
  }
}

/** The version by which a proxy confirms these roots. */
export function rootsVersion(roots: readonly string[]): string {
  return bytesHash(rootsResource(roots).value);
}

/** Whether a node wants to know the mesh's roots and nothing else: what serves secrets to an Envoy. */
export function wantsOnlyRoots({ metadata }: Node): boolean {
  return metadata?.GENERATOR === "roots";
}

function rootsResource(roots: readonly string[]) {
  return packAny(ProxyConfigSchema, create(ProxyConfigSchema, { caCertificatesPem: [...roots] }));
}

/** Null: one of the names is that of the node, or nobody had to prove anything. */
export function nodeMismatch(node: Node, names: readonly string[] | null): string | null {
  const proxy = parseProxyNode(node);
  if (names === null || typeof proxy === "string") return null;
  const { namespace, serviceAccount } = proxy;
  const fits = names.some((name) => {
    const id = parseSpiffeId(name);
    return id?.namespace === namespace && (serviceAccount === "" || id.serviceAccount === serviceAccount);
  });
  if (fits) return null;
  return `the node says that it is service account "${serviceAccount}" of namespace "${namespace}", its identity is ${names.join(", ")}`;
}
