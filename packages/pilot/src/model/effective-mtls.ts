import type { ConfigObject } from "../config/config-object.ts";
import type { StringMap } from "../config/kinds/common.ts";
import type { MutualTlsMode } from "../config/kinds/policies.ts";
import { selectorMatches } from "./labels.ts";
import type { PushContext } from "./push-context.ts";

/** What a port takes: plaintext only, both, or mutual TLS only. */
export type EffectiveMtls = Exclude<MutualTlsMode, "UNSET">;

type PeerAuthentication = ConfigObject<"PeerAuthentication">;

/** A mode, and the object and field that set it; no object when nothing does. */
export interface MtlsSetting {
  readonly mode: EffectiveMtls;
  readonly config?: PeerAuthentication;
  readonly path?: string;
}

/**
 * What the PeerAuthentications make of a workload's ports [control-plane §6.4]: the mesh's, the namespace's
 * and the workload's own, each the oldest of its level; what says nothing inherits, and with nothing said at all
 * a port takes both.
 */
export function effectiveMtls(
  push: PushContext,
  namespace: string,
  labels: StringMap,
  /** Number that the workload listens on; absent: the workload as a whole. */
  port?: number,
): MtlsSetting {
  const { workload } = levels(push, namespace, labels);
  const ofPort = port === undefined ? undefined : workload?.spec.portLevelMtls[port];
  if (workload !== undefined && ofPort !== undefined && ofPort !== "UNSET")
    return { mode: ofPort, config: workload, path: `spec.portLevelMtls.${port}` };
  return settingOf(workload) ?? namespaceMtls(push, namespace);
}

/** What a client sees of it: the mode of the namespace, which leaves workloads' own policies out. */
export function namespaceMtls(push: PushContext, namespace: string): MtlsSetting {
  const level = levels(push, namespace, {});
  return settingOf(level.namespace) ?? settingOf(level.mesh) ?? { mode: "PERMISSIVE" };
}

function levels(push: PushContext, namespace: string, labels: StringMap) {
  const { rootNamespace } = push.mesh;
  const all = push.configs("PeerAuthentication");
  const oldest = (of: string, wanted: (config: PeerAuthentication) => boolean) =>
    all.find((config) => config.namespace === of && wanted(config));
  return {
    mesh: oldest(rootNamespace, hasNoSelector),
    namespace: namespace === rootNamespace ? undefined : oldest(namespace, hasNoSelector),
    // The root namespace is for the mesh as a whole: a selector there says nothing.
    workload:
      namespace === rootNamespace
        ? undefined
        : oldest(
            namespace,
            (config) => !hasNoSelector(config) && selectorMatches(config.spec.selector?.labels ?? {}, labels),
          ),
  };
}

function hasNoSelector({ spec }: PeerAuthentication): boolean {
  return Object.keys(spec.selector?.labels ?? {}).length === 0;
}

function settingOf(config: PeerAuthentication | undefined): MtlsSetting | undefined {
  if (config === undefined || config.spec.mode === "UNSET") return undefined;
  return { mode: config.spec.mode, config, path: "spec.mtls.mode" };
}
