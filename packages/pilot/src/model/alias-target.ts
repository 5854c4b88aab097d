import type { Service } from "./service.ts";

/** ExternalNames of ExternalNames; more are a circle, or as good as one. */
const MAX_STEPS = 10;

/** The host that a name stands for in the end (ExternalName); the name itself where it leads to no service. */
export function aliasTarget(host: string, find: (host: string) => Service | undefined): string {
  let service = find(host);
  for (let step = 0; step < MAX_STEPS && service?.resolution === "alias"; step++) service = find(service.externalName);
  return service === undefined || service.resolution === "alias" ? host : service.hostname;
}
