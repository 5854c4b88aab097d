import { FilterConfigSchema } from "@mixerless/wire/istio/alpn/config";
import { httpFilterType } from "../http-filter-type.ts";

/**
 * `istio.alpn`: chooses what TLS to the upstream offers by the protocol of each request. It is taken, because every
 * outbound chain of Istio has it, and does nothing: here the cluster's own list is what is offered [decision 14].
 */
export const ALPN = httpFilterType(FilterConfigSchema, () => ({ create: () => null }));
