import type { ServerHost } from "../../model/gateway.ts";
import type { ResolvedVirtualService } from "../../model/virtual-service.ts";

/** The narrower of the two hosts when the server serves what the VirtualService asks for; undefined when it does not. */
export function servedHost(
  host: string,
  virtualService: ResolvedVirtualService,
  served: readonly ServerHost[],
): string | undefined {
  for (const entry of served) {
    if (entry.namespace !== "*" && entry.namespace !== virtualService.namespace) continue;
    if (within(host, entry.host)) return host;
    if (within(entry.host, host)) return entry.host;
  }
  return undefined;
}

function within(host: string, pattern: string): boolean {
  return pattern === "*" || host === pattern || (pattern.startsWith("*") && host.endsWith(pattern.slice(1)));
}
