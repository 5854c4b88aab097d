// DestinationRule (§8.3).
import type { Cursor } from "../schema/cursor.ts";
import { duration } from "../schema/duration.ts";
import { fqdnProblem, isDnsLabel, isIP, wildcardDomain } from "../schema/hosts.ts";
import { lists, object, optional, required, withDefault } from "../schema/object.ts";
import {
  boolean,
  checked,
  convert,
  describe,
  int32,
  list,
  number,
  oneOf,
  type Reader,
  string,
  uint32,
} from "../schema/reader.ts";
import {
  checkUnique,
  exportTo,
  matchLabelsSelector,
  percentInt,
  port,
  portSelector,
} from "../schema/shared-readers.ts";
import { labels } from "../schema/text-rules.ts";
import { connectionPool } from "./connection-pool-schema.ts";
import type {
  ClientTlsSettings,
  DestinationRuleSpec,
  OutlierDetection,
  PortLevelSettings,
  PortTrafficPolicy,
  Subset,
  TrafficPolicy,
  TunnelSettings,
} from "./destination-rule.ts";
import { loadBalancer } from "./load-balancer-schema.ts";

const outlierDetection: Reader<OutlierDetection> = convert(
  object({
    consecutive5xxErrors: optional(uint32),
    consecutiveGatewayErrors: optional(uint32),
    consecutiveErrors: optional(int32),
    splitExternalLocalOriginErrors: withDefault(boolean, false),
    consecutiveLocalOriginFailures: optional(uint32),
    interval: optional(duration()),
    baseEjectionTime: optional(duration()),
    maxEjectionPercent: optional(percentInt),
    minHealthPercent: optional(percentInt),
  }),
  ({ consecutiveErrors, ...read }, at) => {
    if (consecutiveErrors !== undefined) {
      const cure = "Write consecutiveGatewayErrors or consecutive5xxErrors; this one has no effect any more.";
      at.at("consecutiveErrors").warn("deprecated-field", "consecutiveErrors is deprecated.", cure);
    }
    if ((read.consecutiveLocalOriginFailures ?? 0) > 0 && !read.splitExternalLocalOriginErrors) {
      const cure = "Set splitExternalLocalOriginErrors: true.";
      at.error(
        "local-errors-not-split",
        "consecutiveLocalOriginFailures counts only when local errors are split.",
        cure,
      );
    }
    return Object.freeze(read);
  },
);

const clientTls: Reader<ClientTlsSettings> = checked(
  object({
    mode: withDefault(oneOf("DISABLE", "SIMPLE", "MUTUAL", "ISTIO_MUTUAL"), "DISABLE"),
    clientCertificate: withDefault(string, ""),
    privateKey: withDefault(string, ""),
    caCertificates: withDefault(string, ""),
    caCrl: withDefault(string, ""),
    credentialName: withDefault(string, ""),
    subjectAltNames: lists(string),
    sni: withDefault(string, ""),
    insecureSkipVerify: withDefault(boolean, false),
  }),
  checkClientTls,
);

function checkClientTls(tls: ClientTlsSettings, at: Cursor): void {
  const files = tls.clientCertificate + tls.privateKey + tls.caCertificates + tls.caCrl;
  if (tls.credentialName !== "" && (tls.mode === "SIMPLE" || tls.mode === "MUTUAL") && files !== "") {
    at.error("several-alternatives", "credentialName and certificate files are set together.", "Keep one of them.");
  }
  if (tls.mode === "MUTUAL" && tls.credentialName === "" && (tls.clientCertificate === "" || tls.privateKey === "")) {
    at.error(
      "missing-certificate",
      "MUTUAL needs a certificate of the client.",
      "Set clientCertificate and privateKey.",
    );
  }
  if (!tls.insecureSkipVerify) return;
  const named = tls.mode === "SIMPLE" && tls.credentialName !== "";
  if (tls.caCertificates !== "" || tls.subjectAltNames.length > 0 || named) {
    const message = "insecureSkipVerify switches off what caCertificates, subjectAltNames or credentialName ask for.";
    at.error("contradicting-verification", message, "Keep one of them.");
  }
}

const tunnel: Reader<TunnelSettings> = checked(
  object({
    protocol: withDefault(oneOf("CONNECT", "POST"), "CONNECT"),
    targetHost: required(string),
    targetPort: required(port),
  }),
  ({ targetHost }, at) => {
    if (isIP(targetHost) !== 0 || fqdnProblem(targetHost) === undefined) return;
    at.at("targetHost").error("bad-host", `${describe(targetHost)} is no host name or address.`, "Name the target.");
  },
);

const portPolicyFields = {
  loadBalancer: optional(loadBalancer),
  connectionPool: optional(connectionPool),
  outlierDetection: optional(outlierDetection),
  tls: optional(clientTls),
} as const;

const portLevelSettings: Reader<PortLevelSettings> = checked(
  object({ ...portPolicyFields, port: required(portSelector) }),
  (read, at) => {
    if (!hasPortPolicy(read)) {
      const cure = "Set loadBalancer, connectionPool, outlierDetection or tls.";
      at.error("empty-settings", "The port has no settings.", cure);
    }
    checkFailoverDetection(read, at);
  },
);

const trafficPolicy: Reader<TrafficPolicy> = checked(
  object({
    ...portPolicyFields,
    portLevelSettings: withDefault(list(portLevelSettings, { max: 4096 }), Object.freeze([])),
    tunnel: optional(tunnel),
    proxyProtocol: optional(object({ version: withDefault(oneOf("V1", "V2"), "V1") })),
    retryBudget: optional(
      object({ percent: optional(number({ min: 0, max: 100 })), minRetryConcurrency: optional(uint32) }),
    ),
  }),
  (read, at) => {
    const more = read.tunnel ?? read.proxyProtocol ?? read.retryBudget;
    if (!hasPortPolicy(read) && read.portLevelSettings.length === 0 && more === undefined) {
      at.error(
        "empty-settings",
        "traffic policy must have at least one field.",
        "Add a setting, or remove trafficPolicy.",
      );
    }
    if (read.tunnel !== undefined && read.proxyProtocol !== undefined) {
      at.error("several-alternatives", "tunnel and proxyProtocol are set together.", "Keep one of them.");
    }
    checkFailoverDetection(read, at);
  },
);

function hasPortPolicy(policy: PortTrafficPolicy): boolean {
  return (policy.loadBalancer ?? policy.connectionPool ?? policy.outlierDetection ?? policy.tls) !== undefined;
}

function checkFailoverDetection(policy: PortTrafficPolicy, at: Cursor): void {
  const locality = policy.loadBalancer?.localityLbSetting;
  const failsOver = locality !== undefined && locality.failover.length + locality.failoverPriority.length > 0;
  if (!failsOver || policy.outlierDetection !== undefined) return;
  const message = "Failover between localities needs outlierDetection, otherwise no endpoint is ever found unhealthy.";
  at.warn("failover-without-detection", message, "Add outlierDetection.");
}

const subset: Reader<Subset> = checked(
  object({
    name: required(string),
    labels: withDefault(labels, Object.freeze(Object.create(null) as Record<string, string>)),
    trafficPolicy: optional(trafficPolicy),
  }),
  ({ name }, at) => {
    if (!isDnsLabel(name))
      at.at("name").error("bad-name", `${describe(name)} is no subset name.`, "Use letters, digits and inner hyphens.");
  },
);

export const destinationRule: Reader<DestinationRuleSpec> = checked(
  object({
    host: required(wildcardDomain),
    trafficPolicy: optional(trafficPolicy),
    subsets: lists(subset),
    exportTo: withDefault(exportTo, Object.freeze([])),
    workloadSelector: optional(matchLabelsSelector),
  }),
  (read, at) => {
    checkUnique(
      read.subsets,
      (entry) => entry.name,
      (name, index, first) => {
        const message = `The subset ${name} is defined twice, first as subsets[${first}].`;
        at.at("subsets").at(index).at("name").error("repeated-name", message, "Rename or remove one.");
      },
    );
    if (read.workloadSelector !== undefined) checkSelectorExport(read.exportTo, at.at("exportTo"));
  },
);

/** A rule for selected workloads is never exported (§7.5). */
function checkSelectorExport(targets: readonly string[], at: Cursor): void {
  targets.forEach((target, index) => {
    if (target === "." || target === at.subject.namespace) return;
    const cure = "Write . or remove exportTo.";
    at.at(index).error("bad-export", "A rule with a workloadSelector stays in its namespace.", cure);
  });
}
