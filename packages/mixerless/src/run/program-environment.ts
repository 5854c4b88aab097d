import type { BoundCall } from "./run-addresses.ts";

/**
 * What a joined program learns from its environment: PORT, and for each service that it may call
 * `<SERVICE>_SERVICE_HOST`, `<SERVICE>_SERVICE_PORT` (the first port) and `<SERVICE>_SERVICE_PORT_<NAME>`.
 */
export function programEnvironment(port: number, calls: readonly BoundCall[]): Record<string, string> {
  const environment: Record<string, string> = { PORT: String(port) };
  for (const { name, portName, bind, bindPort } of calls) {
    const prefix = `${shellName(name)}_SERVICE`;
    // Addresses of one service differ between its ports only where all share 127.0.0.1; the host is the same.
    environment[`${prefix}_HOST`] ??= bind;
    environment[`${prefix}_PORT`] ??= String(bindPort);
    if (portName !== "") environment[`${prefix}_PORT_${shellName(portName)}`] ??= String(bindPort);
  }
  return environment;
}

function shellName(name: string): string {
  return name.toUpperCase().replace(/[^A-Z0-9]/g, "_");
}
