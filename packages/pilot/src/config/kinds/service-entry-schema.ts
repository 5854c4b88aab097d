// ServiceEntry (§8.6, §8.10).
import type { Cursor } from "../schema/cursor.ts";
import {
  fqdnProblem,
  isDnsLabel,
  isIP,
  isUnixAddress,
  reportProblem,
  subnet,
  wildcardDomainProblem,
} from "../schema/hosts.ts";
import { asWritten, lists, object, optional, required, withDefault } from "../schema/object.ts";
import { describe, list, oneOf, type Reader, string } from "../schema/reader.ts";
import { checkPortNumber, checkUnique, configPort, exportTo, labelsSelector } from "../schema/shared-readers.ts";
import type { ConfigPort } from "./common.ts";
import type { ServiceEntrySpec } from "./service-entry.ts";
import { checkAddressOrName, endpoint } from "./workload-entry-schema.ts";

export const serviceEntry: Reader<ServiceEntrySpec> = asWritten(
  object({
    hosts: required(list(string, { min: 1, max: 256 })),
    addresses: withDefault(list(subnet, { max: 256 }), Object.freeze([])),
    ports: withDefault(list(configPort, { max: 256 }), Object.freeze([])),
    location: withDefault(oneOf("MESH_EXTERNAL", "MESH_INTERNAL"), "MESH_EXTERNAL"),
    resolution: withDefault(oneOf("NONE", "STATIC", "DNS", "DNS_ROUND_ROBIN", "DYNAMIC_DNS"), "NONE"),
    endpoints: withDefault(list(endpoint, { max: 4096 }), Object.freeze([])),
    workloadSelector: optional(labelsSelector),
    exportTo: withDefault(exportTo, Object.freeze([])),
    subjectAltNames: lists(string),
  }),
  (has, spec, at) => {
    spec.hosts.forEach((host, index) => {
      checkHost(host, at.at("hosts").at(index));
    });
    if (has("workloadSelector") && has("endpoints")) {
      const message = "only one of WorkloadSelector or Endpoints can be set.";
      at.error("several-alternatives", message, "Keep one of them.");
    }
    checkPorts(spec.ports, at.at("ports"));
    checkAddresses(spec, at);
    if (spec.resolution === "NONE" && has("endpoints")) {
      at.at("endpoints").error("endpoints-not-allowed", "NONE mode cannot set endpoints.", "Use STATIC or DNS.");
    }
    RESOLUTION_CHECKS[spec.resolution](spec, at);
    checkEndpointPorts(spec, at.at("endpoints"));
    warnIndistinct(spec, at);
  },
);

function checkHost(host: string, at: Cursor): void {
  if (host === "*") {
    at.error("bad-host", "hostname cannot be wildcard.", "Name hosts, or *.example.com.");
    return;
  }
  reportProblem(host, wildcardDomainProblem(host), "bad-host", "Use a host name or *.example.com.", at);
  if (host.startsWith("*") && !host.startsWith("*.")) {
    at.warn(
      "partial-wildcard",
      `${host}: partial wildcards can't be matched in all places.`,
      "Write *. and whole labels.",
    );
  }
}

function checkPorts(ports: readonly ConfigPort[], at: Cursor): void {
  ports.forEach((port, index) => {
    const here = at.at(index);
    checkPortNumber(port.number, here.at("number"));
    if (port.targetPort !== undefined) checkPortNumber(port.targetPort, here.at("targetPort"));
    if (port.name === "") here.error("missing-field", "The port has no name.", "Add name.");
    else if (!isDnsLabel(port.name)) {
      here
        .at("name")
        .error("bad-name", `${describe(port.name)} is no port name.`, "Use letters, digits and inner hyphens.");
    }
  });
  checkUnique(
    ports,
    (port) => port.name || undefined,
    (name, index) =>
      at.at(index).at("name").error("repeated-name", `The port name ${name} is used twice.`, "Rename one."),
  );
  checkUnique(
    ports,
    (port) => port.number,
    (number, index) => {
      at.at(index).at("number").error("repeated-port", `port number cannot be duplicated: ${number}.`, "Remove one.");
    },
  );
}

function checkAddresses(spec: ServiceEntrySpec, at: Cursor): void {
  const ranges = spec.addresses.findIndex((address) => address.includes("/"));
  if (ranges < 0 || spec.resolution === "NONE" || spec.resolution === "STATIC") return;
  const message = "CIDR addresses are allowed only for NONE/STATIC resolution types.";
  at.at("addresses").at(ranges).error("bad-address", message, "Use single addresses, or another resolution.");
}

type Check = (spec: ServiceEntrySpec, at: Cursor) => void;

const RESOLUTION_CHECKS: Readonly<Record<ServiceEntrySpec["resolution"], Check>> = {
  NONE: checkNone,
  STATIC: checkStatic,
  DNS: checkDns,
  DNS_ROUND_ROBIN: (spec, at) => {
    checkDns(spec, at);
    if (spec.endpoints.length <= 1) return;
    at.at("endpoints").error("too-many-endpoints", "DNS_ROUND_ROBIN mode cannot have multiple endpoints.", "Keep one.");
  },
  DYNAMIC_DNS: checkDynamicDns,
};

function checkNone(spec: ServiceEntrySpec, at: Cursor): void {
  if (spec.workloadSelector !== undefined) {
    at.at("workloadSelector").warn("selector-unused", "With NONE the selected workloads are not used.", "Use STATIC.");
  }
  checkSharedTcp(spec, at, false);
}

function checkStatic(spec: ServiceEntrySpec, at: Cursor): void {
  spec.endpoints.forEach(({ address }, index) => {
    const here = at.at("endpoints").at(index).at("address");
    if (isUnixAddress(address)) {
      if (spec.ports.length === 1) return;
      here.error("bad-port", "A Unix socket serves exactly one port.", "Declare one port.");
    } else if (address !== "" && isIP(address) === 0) {
      here.error("bad-address", `${describe(address)} is no IP address.`, "Use addresses, or resolution: DNS.");
    }
  });
  checkSharedTcp(spec, at, true);
}

function checkDns(spec: ServiceEntrySpec, at: Cursor): void {
  if (spec.endpoints.length === 0 && spec.workloadSelector === undefined) {
    spec.hosts.forEach((host, index) => {
      const cure = "Use a full host name, or add endpoints.";
      reportProblem(host, fqdnProblem(host), "bad-host", cure, at.at("hosts").at(index));
    });
  }
  spec.endpoints.forEach(({ address }, index) => {
    const here = at.at("endpoints").at(index).at("address");
    if (isUnixAddress(address)) here.error("bad-address", "A Unix socket needs no DNS.", "Use resolution: STATIC.");
    else if (address !== "") checkAddressOrName(address, here);
  });
  checkSharedTcp(spec, at, true);
}

const DYNAMIC_PROTOCOLS = ["HTTP", "HTTP2", "GRPC", "TLS", "HTTPS"];

function checkDynamicDns(spec: ServiceEntrySpec, at: Cursor): void {
  const cure = "DYNAMIC_DNS resolves the name of each request; see resolution: DNS for fixed names.";
  spec.hosts.forEach((host, index) => {
    if (!host.startsWith("*")) at.at("hosts").at(index).error("bad-host", "DYNAMIC_DNS needs wildcard hosts.", cure);
  });
  for (const field of ["addresses", "endpoints"] as const) {
    if (spec[field].length > 0) at.at(field).error("endpoints-not-allowed", `DYNAMIC_DNS can't have ${field}.`, cure);
  }
  spec.ports.forEach((port, index) => {
    if (DYNAMIC_PROTOCOLS.includes(port.protocol.toUpperCase())) return;
    const here = at.at("ports").at(index).at("protocol");
    here.error("unknown-protocol", "DYNAMIC_DNS needs ports of HTTP, HTTP2, GRPC or TLS.", cure);
  });
}

function isNamed(protocol: string): boolean {
  return ["HTTP", "HTTP2", "GRPC", "GRPC-WEB", "HTTPS", "TLS"].includes(protocol.toUpperCase());
}

/** Connections that carry no host name can't be told apart when several hosts share a port. */
function checkSharedTcp(spec: ServiceEntrySpec, at: Cursor, refuse: boolean): void {
  if (spec.hosts.length < 2) return;
  spec.ports.forEach((port, index) => {
    if (isNamed(port.protocol)) return;
    const here = at.at("ports").at(index);
    const message = "Several hosts share a port whose protocol carries no host name.";
    if (refuse) here.error("indistinct-hosts", message, "Use one ServiceEntry per host, or protocol HTTP or TLS.");
    else if (spec.addresses.length > 0) here.warn("indistinct-hosts", message, "Use one ServiceEntry per host.");
  });
}

function warnIndistinct(spec: ServiceEntrySpec, at: Cursor): void {
  if (spec.addresses.length > 0) return;
  spec.ports.forEach((port, index) => {
    if (port.protocol !== "" && port.protocol.toUpperCase() !== "TCP") return;
    const message = "A TCP port without addresses takes all traffic of its number, whatever its destination.";
    at.at("ports").at(index).warn("tcp-without-address", message, "Add addresses, or set protocol to HTTP or TLS.");
  });
}

function checkEndpointPorts(spec: ServiceEntrySpec, at: Cursor): void {
  const names = new Set(spec.ports.map((port) => port.name));
  spec.endpoints.forEach((entry, index) => {
    for (const name of Object.keys(entry.ports)) {
      if (names.has(name)) continue;
      const message = `The endpoint names the port ${name}, which the ServiceEntry does not declare.`;
      at.at(index).at("ports").at(name).error("unknown-port", message, "Declare it in ports, or correct the name.");
    }
  });
}
