import { Property, type StreamContext } from "@mixerless/sdk";
import { textOf } from "../filter/attributes.ts";
import type { Labels } from "./log-labels.ts";

const DENIED = "rbac_access_denied_matched_policy";
const POLICY = /^ns\[([^\]]*)\]-policy\[([^\]]*)\]-rule\[([^\]]*)\]$/;

/** Response details; a denial by a policy is `AuthzDenied` with the policy's name and the rule's index. */
export function responseDetails(details: string): Labels {
  if (!details.startsWith(DENIED)) return details === "" ? {} : { response_details: details };
  const policy = policyOf(details.slice(DENIED.length).replace(/^\[(.*)\]$/, "$1"));
  return {
    response_details: "AuthzDenied",
    ...(policy === null ? {} : { policy_name: policy.name, policy_rule: policy.rule }),
  };
}

/** What policies that are only tried would have said. */
export class DryRun {
  readonly #allow = engine("istio_dry_run_allow_");
  readonly #deny = engine("istio_dry_run_deny_");

  labels(stream: StreamContext): Labels {
    const allow = textOf(stream, this.#allow.result);
    const deny = textOf(stream, this.#deny.result);
    if (allow === "" && deny === "") return {};
    const denied = deny === "denied";
    const allowed = !denied && allow !== "denied";
    const policy = policyOf(textOf(stream, denied ? this.#deny.policy : this.#allow.policy));
    return {
      dry_run_result: allowed ? "AuthzAllowed" : "AuthzDenied",
      ...(policy === null ? {} : { dry_run_policy_name: policy.name, dry_run_policy_rule: policy.rule }),
    };
  }
}

function engine(prefix: string) {
  const property = (name: string) =>
    new Property(["metadata", "filter_metadata", "envoy.filters.http.rbac", `${prefix}shadow_${name}`]);
  return { result: property("engine_result"), policy: property("effective_policy_id") };
}

function policyOf(text: string): { readonly name: string; readonly rule: string } | null {
  const parts = POLICY.exec(text);
  return parts === null ? null : { name: `${parts[1]}.${parts[2]}`, rule: parts[3] ?? "" };
}
