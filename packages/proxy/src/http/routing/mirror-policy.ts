import type { RouteAction_RequestMirrorPolicy } from "@mixerless/wire/envoy/config/route/v3/route_components";
import type { ConfigFault } from "../../network/config-fault.ts";
import { runtimeFraction } from "./fraction.ts";

/** A cluster that gets a copy of requests and whose answers nobody reads. */
export interface MirrorPolicy {
  readonly cluster: string;
  /** 0…1. */
  readonly fraction: number;
  /** Adds `-shadow` to the authority, so that the receiver can tell. */
  readonly markHost: boolean;
}

export function compileMirrors(
  policies: readonly RouteAction_RequestMirrorPolicy[],
  path: string,
  faults: ConfigFault[],
): readonly MirrorPolicy[] {
  return policies.map((policy, i) => {
    if (policy.cluster === "") faults.push({ path: `${path}[${i}].cluster`, message: "a cluster name is needed" });
    return {
      cluster: policy.cluster,
      fraction: runtimeFraction(policy.runtimeFraction, 1),
      markHost: !policy.disableShadowHostSuffixAppend,
    };
  });
}
