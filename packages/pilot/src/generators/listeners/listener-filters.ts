import type { MessageInitShape } from "@bufbuild/protobuf";
import type { ListenerSchema } from "@mixerless/wire/envoy/config/listener/v3/listener";
import { TlsInspectorSchema } from "@mixerless/wire/envoy/extensions/filters/listener/tls_inspector/v3/tls_inspector";
import type { MeshConfigSpec } from "../../config/kinds/mesh-config.ts";
import { duration, typed } from "../proto.ts";

type ListenerFilter = NonNullable<MessageInitShape<typeof ListenerSchema>["listenerFilters"]>[number];

/** Tells TLS from plaintext, and by server name and protocols what a client wants. */
export const TLS_INSPECTOR: ListenerFilter = {
  name: "envoy.filters.listener.tls_inspector",
  configType: { case: "typedConfig", value: typed(TlsInspectorSchema, {}) },
};

type Settings = Pick<
  MessageInitShape<typeof ListenerSchema>,
  "listenerFilters" | "listenerFiltersTimeout" | "continueOnListenerFiltersTimeout"
>;

/**
 * Looks into the first bytes of a connection before a chain is chosen [control-plane §4.3, §4.5]. A client that
 * says nothing is waited for as long as the mesh's `protocolDetectionTimeout` says: 0 is for ever.
 */
export function tlsInspection({ protocolDetectionTimeout }: MeshConfigSpec): Settings {
  return {
    listenerFilters: [TLS_INSPECTOR],
    listenerFiltersTimeout: duration(protocolDetectionTimeout),
    continueOnListenerFiltersTimeout: true,
  };
}
