import type { ConfigObject } from "../config/config-object.ts";
import type { Fault } from "../config/fault.ts";
import type { ExtensionProvider } from "../config/kinds/mesh-config.ts";
import { objectLabel } from "../config/read-config.ts";
import type { PushContext } from "../model/push-context.ts";
import { namespaceWide, type TelemetryObject } from "./applicable-telemetry.ts";
import { providerNamed } from "./providers.ts";

type Section = "metrics" | "accessLogging";

/** The kind of provider that a section can make use of. */
const USABLE: Readonly<Record<Section, string>> = { metrics: "prometheus", accessLogging: "envoyFileAccessLog" };
const EFFECT: Readonly<Record<Section, string>> = {
  metrics: "It measures nothing",
  accessLogging: "It logs nothing",
};
const SECTIONS: readonly Section[] = ["metrics", "accessLogging"];

/** What of the Telemetry objects in use has no effect as written. */
export function telemetryFaults(push: PushContext): Fault[] {
  return [...defaultFaults(push), ...push.configs("Telemetry").flatMap((config) => objectFaults(push, config))];
}

function objectFaults(push: PushContext, config: TelemetryObject): Fault[] {
  return [
    ...secondFault(push, config),
    ...targetFaults(config),
    ...tracingFaults(config),
    ...SECTIONS.flatMap((section) =>
      config.spec[section].flatMap((entry, i) => [
        ...providerFaults(push, config, `spec.${section}[${i}].providers`, entry.providers, section),
        ...(entry.providers.length === 0 ? withoutProvider(push, config, `spec.${section}[${i}]`, section) : []),
      ]),
    ),
  ];
}

function defaultFaults(push: PushContext): Fault[] {
  const config = push.meshConfig;
  if (config === undefined) return [];
  return SECTIONS.flatMap((section) =>
    providerFaults(push, config, `spec.defaultProviders.${section}`, push.mesh.defaultProviders[section], section),
  );
}

function providerFaults(
  push: PushContext,
  config: ConfigObject,
  path: string,
  names: readonly string[],
  section: Section,
): Fault[] {
  const known = names.map((name) => providerNamed(push.mesh, name));
  const faults = names.flatMap((name, i) => {
    const provider = known[i];
    if (provider?.type === USABLE[section]) return [];
    return [providerFault(push, placeOf(config, `${path}[${i}]`), name, provider, section)];
  });
  const measuring = known.filter((provider) => provider?.type === "prometheus");
  return section === "metrics" && measuring.length > 1 ? [...faults, severalFault(placeOf(config, path))] : faults;
}

function providerFault(
  { mesh }: PushContext,
  place: ReturnType<typeof placeOf>,
  name: string,
  provider: ExtensionProvider | undefined,
  section: Section,
): Fault {
  if (provider !== undefined) {
    return {
      ...place,
      code: "unsupported-provider",
      severity: "warning",
      message: `The provider ${name} is of type ${provider.type}, which ${section} can't go to. ${EFFECT[section]}.`,
      cure: `Name a provider of type ${USABLE[section]}.`,
    };
  }
  const usable = mesh.extensionProviders.filter(({ type }) => type === USABLE[section]).map((entry) => entry.name);
  return {
    ...place,
    code: "unknown-provider",
    severity: "warning",
    message: `There is no provider ${name}. ${EFFECT[section]}.`,
    cure: `Define it under extensionProviders of the mesh configuration, or name one of ${usable.join(", ")}.`,
  };
}

function severalFault(place: ReturnType<typeof placeOf>): Fault {
  return {
    ...place,
    code: "counted-once",
    severity: "warning",
    message: "These providers show the same series. The first that is on measures, so that nothing counts double.",
    cure: "Name one.",
  };
}

/** An entry without a provider, where none can be inherited. */
function withoutProvider(push: PushContext, config: TelemetryObject, path: string, section: Section): Fault[] {
  const root = push.mesh.rootNamespace;
  const inherited =
    push.mesh.defaultProviders[section].length > 0 ||
    push
      .configs("Telemetry")
      .some(
        ({ namespace, spec }) =>
          [root, config.namespace].includes(namespace) && spec[section].some(({ providers }) => providers.length > 0),
      );
  if (inherited) return [];
  return [
    {
      ...placeOf(config, path),
      code: "no-provider",
      severity: "warning",
      message: "The entry names no provider, and there is none to inherit.",
      cure: `Add providers, or set defaultProviders.${section} in the mesh configuration.`,
    },
  ];
}

/** Of several that speak for a whole namespace the oldest counts. */
function secondFault(push: PushContext, config: TelemetryObject): Fault[] {
  const wide = namespaceWide(push.configs("Telemetry"), config.namespace);
  const [first] = wide;
  if (first === undefined || first === config || !wide.includes(config)) return [];
  return [
    {
      ...placeOf(config, "spec"),
      code: "second-telemetry",
      severity: "warning",
      message: `Telemetry ${first.namespace}/${first.name}, which is older, speaks for this namespace. This one has no effect.`,
      cure: "Put both into one, or give this one a selector.",
    },
  ];
}

function targetFaults(config: TelemetryObject): Fault[] {
  const { targetRefs } = config.spec;
  if (targetRefs.length === 0 || targetRefs.some(({ kind }) => kind === "Gateway")) return [];
  return [
    {
      ...placeOf(config, "spec.targetRefs"),
      code: "no-waypoint",
      severity: "warning",
      message: "Only waypoints have such targets, and there are none here. The object has no effect.",
      cure: "Use a selector, or a Gateway as the target.",
    },
  ];
}

function tracingFaults(config: TelemetryObject): Fault[] {
  if (config.spec.tracing.length === 0) return [];
  return [
    {
      ...placeOf(config, "spec.tracing"),
      code: "not-traced",
      severity: "warning",
      message: "Nothing is traced yet. The section has no effect; the others of the object have.",
      cure: "Nothing to do.",
    },
  ];
}

function placeOf(config: ConfigObject, path: string) {
  const { file, line, column } = config.originOf(path);
  return { object: objectLabel(config.kind, config.namespace, config.name), path, file, line, column };
}
