import { create, type DescMessage, type JsonObject, type MessageInitShape } from "@bufbuild/protobuf";
import { type Any, anyPack, type Duration, DurationSchema } from "@bufbuild/protobuf/wkt";
import { packAny } from "@mixerless/wire";
import { type Address, AddressSchema } from "@mixerless/wire/envoy/config/core/v3/address";
import { type Metadata, MetadataSchema } from "@mixerless/wire/envoy/config/core/v3/base";
import { TypedStructSchema } from "@mixerless/wire/udpa/type/v1/typed_struct";

/** Whole and fractional seconds of a duration given in milliseconds. */
export function duration(milliseconds: number): Duration {
  const seconds = Math.floor(milliseconds / 1000);
  return create(DurationSchema, { seconds: BigInt(seconds), nanos: Math.round((milliseconds - seconds * 1000) * 1e6) });
}

/** A message as the `typed_config` of something. */
export function typed<D extends DescMessage>(schema: D, init: MessageInitShape<D>): Any {
  return packAny(schema, create(schema, init));
}

/** Configuration of a filter whose message only its own data plane knows: the type by name, the value as JSON. */
export function typedStruct(typeName: string, value: JsonObject): Any {
  return anyPack(TypedStructSchema, create(TypedStructSchema, { typeUrl: `type.googleapis.com/${typeName}`, value }));
}

export function socketAddress(address: string, port: number): Address {
  return create(AddressSchema, {
    address: { case: "socketAddress", value: { address, portSpecifier: { case: "portValue", value: port } } },
  });
}

const UNIX = "unix://";

/** An address as Istio writes it: an IP or a name beside a port, or `unix://` and a path. */
export function addressOf(address: string, port: number): Address {
  return address.startsWith(UNIX) ? pipe(address.slice(UNIX.length)) : socketAddress(address, port);
}

/** A Unix socket; a path that begins with `@` is a name without a file. */
function pipe(path: string): Address {
  return create(AddressSchema, { address: { case: "pipe", value: { path } } });
}

/** `filter_metadata.istio`. */
export function istioMetadata(value: JsonObject): Metadata {
  return create(MetadataSchema, { filterMetadata: { istio: value } });
}
