import { FilterConfigSchema } from "@mixerless/wire/istio/alpn/config";
import { httpFilterType } from "../http-filter-type.ts";

/**
 * `istio.alpn`: chooses what TLS to the upstream offers. There is no upstream TLS yet, so it is taken and does
 * nothing; every outbound chain of Istio has it.
 */
export const ALPN = httpFilterType(FilterConfigSchema, () => ({ create: () => null }));
