import type { AttributeFamily, AttributeReader, AttributeSource } from "./attribute.ts";
import { byteString, descend } from "./attribute.ts";

type Metadata = (source: AttributeSource) => Readonly<Record<string, unknown>> | null | undefined;

const METADATA: Readonly<Record<string, Metadata>> = {
  cluster_metadata: ({ info }) => info?.cluster?.metadata,
  route_metadata: ({ info }) => info?.route?.metadata,
  virtual_host_metadata: ({ info }) => info?.route?.virtualHostMetadata,
  upstream_host_metadata: ({ info }) => info?.upstreamHost?.metadata,
  listener_metadata: ({ listener }) => listener.metadata,
};

const NAMES: Readonly<Record<string, AttributeReader>> = {
  cluster_name: ({ info }) => (info?.cluster ? byteString(info.cluster.name) : null),
  route_name: ({ info }) => (info?.route ? byteString(info.route.name) : null),
  virtual_host_name: ({ info }) => (info?.route ? byteString(info.route.virtualHost) : null),
  filter_chain_name: ({ listener }) => byteString(listener.filterChainName),
  listener_direction: ({ listener }) => listener.direction,
  listener_name: ({ listener }) => byteString(listener.name),
};

/** `xds.…` [telemetry §3.2]; the same names without `xds.` are the form of older releases. */
export const XDS: AttributeFamily = (rest) => {
  const [name = ""] = rest;
  if (name === "node") return ({ scope }) => descend(scope.node, rest, 1);
  if (Object.hasOwn(METADATA, name)) {
    const metadata = METADATA[name];
    // The message around the map has this one field that matters.
    if (metadata === undefined || rest[1] !== "filter_metadata") return null;
    return (source) => descend(metadata(source), rest, 2);
  }
  if (rest.length !== 1 || !Object.hasOwn(NAMES, name)) return null;
  return NAMES[name] ?? null;
};
