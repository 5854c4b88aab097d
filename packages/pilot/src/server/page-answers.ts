import type { AdminAnswer } from "@mixerless/admin-server";
import type { PortSecurity } from "../explain/port-security.ts";
import type { Provenance } from "../generators/generated.ts";

/** Object, field, file and line of something that was configured. */
export function placeOf({ config, path }: Provenance) {
  const { file, line } = path === "" ? config.origin : config.originOf(path);
  return { object: `${config.kind} ${config.namespace}/${config.name}`, path, file, line };
}

export function jsonAnswer(value: unknown, status = 200): AdminAnswer {
  return { status, body: `${JSON.stringify(value, null, 2)}\n`, contentType: "application/json" };
}

/** What a port takes, and the object that says so, if one does. */
export function securityAnswer({ mode, place }: PortSecurity) {
  return { mode, ...(place === null ? {} : placeOf(place)) };
}
