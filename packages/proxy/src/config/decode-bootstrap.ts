import { type Decoded, decodeJson, type Fault, unpackAnyAs, validateMessage } from "@mixerless/wire";
import { type Bootstrap, BootstrapSchema } from "@mixerless/wire/envoy/config/bootstrap/v3/bootstrap";
import { FileAccessLogSchema } from "@mixerless/wire/envoy/extensions/access_loggers/file/v3/file";
import { compileStatsSettings } from "../admin/stats-settings.ts";
import type { ConfigFault } from "../network/config-fault.ts";
import { danglingClusters } from "./cluster-references.ts";
import { refuseUnsupported } from "./refuse-unsupported.ts";

/**
 * A bootstrap from its JSON (or YAML, once parsed), or everything that is wrong with it, by field: what is no
 * bootstrap, what breaks the rules of the definitions, and what this data plane does not do.
 */
export function decodeBootstrap(json: unknown): Decoded<Bootstrap> {
  const decoded = decodeJson(BootstrapSchema, json);
  if (decoded.faults !== undefined) return decoded;
  const { message } = decoded;
  const faults = [...validateMessage(BootstrapSchema, message)];
  const add = ({ path, message }: { path: string; message: string }): void => {
    // One reason for a field is enough.
    if (!faults.some((fault) => fault.path === path)) faults.push(ruleFault(path, message));
  };
  refuseUnsupported(BootstrapSchema, message).forEach(add);
  danglingClusters(message).forEach(add);
  refuseAdmin(message).forEach(add);
  const ofStats: ConfigFault[] = [];
  compileStatsSettings(message.statsConfig, "statsConfig", ofStats);
  ofStats.forEach(add);
  refuseTwins(message).forEach(add);
  return faults.length === 0 ? decoded : { faults };
}

function ruleFault(path: string, message: string): Fault {
  const keys = path.split(/\.|(?=\[)/).map((step) => (/^\[\d+\]$/.test(step) ? Number(step.slice(1, -1)) : step));
  return { code: "WIRE_RULE_BROKEN", path, keys, message };
}

const NO_LOG = "the admin interface keeps no access log; give /dev/null, or remove it";

function refuseAdmin({ admin }: Bootstrap): { path: string; message: string }[] {
  const faults: { path: string; message: string }[] = [];
  const address = admin?.address?.address;
  if (address?.case === "pipe" || address?.case === "envoyInternalAddress")
    faults.push({ path: `admin.address.${address.case}`, message: "is not supported; use socketAddress" });
  if (admin !== undefined && !["", "/dev/null"].includes(admin.accessLogPath))
    faults.push({ path: "admin.accessLogPath", message: NO_LOG });
  for (const [i, log] of (admin?.accessLog ?? []).entries()) {
    const any = log.configType.case === "typedConfig" ? log.configType.value : null;
    const file = any === null ? null : unpackAnyAs(any, FileAccessLogSchema);
    if (file?.message?.path !== "/dev/null") faults.push({ path: `admin.accessLog[${i}]`, message: NO_LOG });
  }
  return faults;
}

/** Of two resources of one name the second would silently replace the first. */
function refuseTwins(bootstrap: Bootstrap): { path: string; message: string }[] {
  const resources = bootstrap.staticResources;
  return [...twins("clusters", resources?.clusters ?? []), ...twins("listeners", resources?.listeners ?? [])];
}

function twins(kind: string, entries: readonly { readonly name: string }[]): { path: string; message: string }[] {
  const first = new Map<string, number>();
  return entries.flatMap(({ name }, i) => {
    const before = first.get(name);
    if (before === undefined) first.set(name, i);
    // Listeners without a name are told apart by the name that they are given.
    if (before === undefined || name === "") return [];
    const message = `"${name}" is the name of ${kind}[${before}] too; give each its own`;
    return [{ path: `staticResources.${kind}[${i}].name`, message }];
  });
}
