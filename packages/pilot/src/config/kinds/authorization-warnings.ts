import type { Cursor } from "../schema/cursor.ts";
import { describe } from "../schema/reader.ts";
import type { AuthorizationPolicySpec, AuthorizationRule } from "./security.ts";

/** What is allowed to stand in a policy, and hardly meant. */
export function warnOfPolicy({ action, rules }: Pick<AuthorizationPolicySpec, "action" | "rules">, at: Cursor): void {
  rules.forEach((rule, index) => {
    const place = at.at("rules").at(index);
    if (action === "DENY") warnHttpOnly(rule, place);
    if (action === "DENY") warnPortless(rule, "hosts", place);
    if (action === "ALLOW") warnPortless(rule, "notHosts", place);
  });
}

function warnHttpOnly({ from, to, when }: AuthorizationRule, at: Cursor): void {
  const tcp = to.some(({ ports, notPorts }) => ports.length + notPorts.length > 0);
  const http = to.some(({ hosts, methods, paths }) => hosts.length + methods.length + paths.length > 0);
  if (!http || tcp || from.length + when.length > 0) return;
  const message = "The rule uses HTTP attributes only and will deny all traffic to TCP ports under its scope.";
  at.warn("denies-tcp", message, "Add ports to the operation.");
}

/** Hosts that are to be kept out and are let in as soon as a client writes the port: it compares the authority as sent. */
function warnPortless({ to }: AuthorizationRule, field: "hosts" | "notHosts", at: Cursor): void {
  to.forEach((operation, index) => {
    const hosts = operation[field];
    hosts.forEach((host, i) => {
      if (host.endsWith("*") || hasPort(host) || withPort(hosts, host)) return;
      // A pattern has one star: behind that in front, each port has to be written.
      const cure = host.startsWith("*") ? `${host}:80 and every other port that clients can name` : `${host}:*`;
      const message = `${describe(host)} is not ${describe(`${host}:80`)}, so a request that names the port gets past the rule.`;
      at.at("to").at(index).at("operation").at(field).at(i).warn("host-without-port", message, `Add ${cure}.`);
    });
  });
}

/** Brackets of an IPv6 address are no port. */
function hasPort(host: string): boolean {
  return /:[^\]]*$/.test(host);
}

/** Whether some entry is about the host with a port behind it: `host:*`, `host:80`, `host*`, or a shorter pattern. */
function withPort(hosts: readonly string[], host: string): boolean {
  const wanted = `${host}:`.toLowerCase();
  return hosts.some((other) => {
    const lower = other.toLowerCase();
    const prefix = lower.endsWith("*") && !lower.startsWith("*") ? lower.slice(0, -1) : null;
    return other === "*" || lower.startsWith(wanted) || (prefix !== null && wanted.startsWith(prefix));
  });
}
