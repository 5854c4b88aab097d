// WorkloadEntry and the endpoints of ServiceEntries (§8.6, §8.10).
import type { Cursor } from "../schema/cursor.ts";
import { fqdnProblem, isDnsLabel, isIP, isUnixAddress, reportProblem, unixAddressProblem } from "../schema/hosts.ts";
import { asWritten, object, withDefault } from "../schema/object.ts";
import { checked, describe, map, type Reader, string, uint32 } from "../schema/reader.ts";
import { port } from "../schema/shared-readers.ts";
import { labels } from "../schema/text-rules.ts";
import type { WorkloadEntrySpec } from "./workload-entry.ts";

const NO_LABELS: Readonly<Record<string, string>> = Object.freeze(Object.create(null) as Record<string, string>);
const NO_PORTS: Readonly<Record<string, number>> = Object.freeze(Object.create(null) as Record<string, number>);

const namedPorts: Reader<Readonly<Record<string, number>>> = map(port, {
  max: 128,
  key: (name, at) => {
    if (!isDnsLabel(name))
      at.error("bad-name", `${describe(name)} is no port name.`, "Use letters, digits and inner hyphens.");
  },
});

const fields = object({
  address: withDefault(string, ""),
  ports: withDefault(namedPorts, NO_PORTS),
  labels: withDefault(labels, NO_LABELS),
  network: withDefault(string, ""),
  locality: withDefault(string, ""),
  weight: withDefault(uint32, 0),
  serviceAccount: withDefault(string, ""),
});

/** Address rules that hold wherever the entry stands; whether names are allowed depends on the place. */
export const endpoint: Reader<WorkloadEntrySpec> = asWritten(fields, (has, read, at) => {
  const here = at.at("address");
  if (read.address === "") {
    if (read.network === "") at.error("missing-field", "Address is required.", "Add address, or network.");
    else at.warn("address-by-network", "Without address only the gateway of the network is reached.", "Add address.");
    return;
  }
  if (!isUnixAddress(read.address)) return;
  reportProblem(
    read.address,
    unixAddressProblem(read.address),
    "bad-address",
    "Write unix:///path or unix://@name.",
    here,
  );
  if (has("ports")) at.at("ports").error("bad-port", "UDS may not include ports.", "Remove ports.");
});

export const workloadEntry: Reader<WorkloadEntrySpec> = checked(endpoint, (read, at) => {
  if (read.address === "" || isUnixAddress(read.address)) return;
  checkAddressOrName(read.address, at.at("address"));
});

export function checkAddressOrName(address: string, at: Cursor): void {
  if (isIP(address) !== 0) return;
  reportProblem(address, fqdnProblem(address), "bad-address", "Use an IP address, a host name or unix:///path.", at);
}
