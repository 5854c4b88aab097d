/** `10.0.0.0/8`, or an address alone, as a filter chain matches it. */
export function cidrRange(subnet: string): { addressPrefix: string; prefixLen: number } {
  const [addressPrefix = "", length] = subnet.split("/");
  return { addressPrefix, prefixLen: length === undefined ? (addressPrefix.includes(":") ? 128 : 32) : Number(length) };
}
