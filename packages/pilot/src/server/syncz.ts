import { type ProxyConnection, TypeUrl } from "@mixerless/xds";
import type { MeshAuthority } from "../authority/mesh-authority.ts";

const SHORT_NAMES: readonly (readonly [string, string])[] = [
  ["cluster", TypeUrl.cluster],
  ["listener", TypeUrl.listener],
  ["route", TypeUrl.route],
  ["endpoint", TypeUrl.endpoint],
  ["extensionconfig", TypeUrl.extensionConfig],
];

/** `/debug/syncz`: nonces sent and acknowledged, per proxy and type, under istiod's keys. */
export function syncz(
  connections: readonly ProxyConnection[],
  authority: Pick<MeshAuthority, "expiryOf"> | null,
): unknown[] {
  return connections.map((connection) => {
    const { node } = connection;
    const metadata = (node.metadata ?? {}) as Record<string, unknown>;
    const [type = "", , name = ""] = node.id.split("~");
    const watches = new Map(connection.status().watches.map((watch) => [watch.typeUrl, watch]));
    const entry: Record<string, unknown> = {
      cluster_id: metadata.CLUSTER_ID ?? "",
      proxy: name,
      proxy_type: type,
      istio_version: metadata.ISTIO_VERSION ?? "",
      user_agent: node.userAgentName,
      connected_at: new Date(connection.connectedAt).toISOString(),
    };
    const expires = authority?.expiryOf(connection.identity) ?? null;
    if (expires !== null) entry.certificate_expires = new Date(expires).toISOString();
    for (const [key, typeUrl] of SHORT_NAMES) {
      const watch = watches.get(typeUrl);
      if (watch === undefined) continue;
      entry[`${key}_sent`] = watch.sent?.nonce ?? "";
      entry[`${key}_acked`] = watch.acked?.nonce ?? "";
    }
    entry.resources = Object.fromEntries(
      [...watches].map(([typeUrl, watch]) => [
        typeUrl,
        {
          state: watch.state,
          sent: watch.sent,
          acked: watch.acked,
          lastError: watch.nacked,
          refused: Object.fromEntries(watch.refused),
          held: watch.held,
        },
      ]),
    );
    return entry;
  });
}
