import { type Decoded, decodeJson } from "@mixerless/wire";
import { type Bootstrap, BootstrapSchema } from "@mixerless/wire/envoy/config/bootstrap/v3/bootstrap";

/** A bootstrap from its JSON (or YAML, once parsed), or everything that is wrong with it, by field. */
export function decodeBootstrap(json: unknown): Decoded<Bootstrap> {
  return decodeJson(BootstrapSchema, json);
}
