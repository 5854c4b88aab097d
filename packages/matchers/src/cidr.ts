import { BlockList, isIP } from "node:net";
import type { CidrRange } from "@mixerless/wire/envoy/config/core/v3/address";
import type { MatcherFault } from "./fault.ts";

/** True for an IP address of the range. */
export type IpTest = (ip: string) => boolean;

const BITS = { 4: 32, 6: 128 } as const;

/** Compiles an address range. IPv4 addresses that are written as IPv6 ones are taken for what they are. */
export function compileCidr(range: CidrRange | undefined, path: string, faults: MatcherFault[]): IpTest {
  const address = range?.addressPrefix ?? "";
  const length = range?.prefixLen ?? 0;
  const family = isIP(address) as 0 | 4 | 6;
  if (family === 0 || length > BITS[family]) {
    faults.push({ path, message: `"${address}/${length}" is not an address range` });
    return () => false;
  }
  const list = new BlockList();
  list.addSubnet(address, length, family === 4 ? "ipv4" : "ipv6");
  return (ip) => {
    const own = isIP(ip);
    return own !== 0 && list.check(ip, own === 4 ? "ipv4" : "ipv6");
  };
}
