/** Environment variables, as in `process.env`. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Where a service is reached. */
export interface Endpoint {
  /** The address to dial. */
  host: string;
  port: number;
  /** The `Host` header: the service's name and port, whatever address is dialled. Sidecars route by it. */
  authority: string;
  /** Speak TLS. Inside the mesh that is the sidecar's work. */
  secure?: boolean;
}

/**
 * Where `service` is reached. `<SERVICE>_SERVICE_HOST` is the address to dial and
 * `<SERVICE>_SERVICE_PORT` the port, 9080 by default: the names that Kubernetes injects for a service.
 * `<SERVICE>_HOSTNAME`, with `SERVICES_DOMAIN` behind it, is the service's name, and without an address
 * the name is dialled.
 */
export function endpointOf(service: "details" | "reviews" | "ratings", env: Environment): Endpoint {
  const prefix = service.toUpperCase();
  const domain = env.SERVICES_DOMAIN ? `.${env.SERVICES_DOMAIN}` : "";
  const name = `${env[`${prefix}_HOSTNAME`] || service}${domain}`;
  const port = integerOf(env, `${prefix}_SERVICE_PORT`, 9080, 65_535);
  return { host: env[`${prefix}_SERVICE_HOST`] || name, port, authority: `${name}:${port}` };
}

/** The value of `name` as an integer between 0 and `max`. Throws a sentence for the operator when it is none. */
export function integerOf(env: Environment, name: string, fallback: number, max: number): number {
  const text = env[name];
  if (text === undefined || text === "") return fallback;
  const value = Number(text);
  if (/^\d+$/.test(text) && value <= max) return value;
  throw new Error(`${name} is "${text}", which is no whole number from 0 to ${max}. Correct the variable or unset it.`);
}

/** Whether `name` says `true`, in any case. */
export function flagOf(env: Environment, name: string): boolean {
  return env[name]?.toLowerCase() === "true";
}
