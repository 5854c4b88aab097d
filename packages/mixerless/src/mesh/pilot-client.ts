import { CommandError } from "./command-error.ts";
import { fetchJson } from "./http.ts";

export interface RegistryPort {
  readonly name: string;
  readonly port: number;
  readonly protocol: string;
  readonly endpoints: readonly {
    readonly address: string;
    readonly health: string;
    readonly workload: string;
    readonly labels: Readonly<Record<string, string>>;
  }[];
}

/** One service of `/debug/registryz`. */
export interface RegistryService {
  readonly hostname: string;
  readonly namespace: string;
  readonly registry: string;
  readonly resolution: string;
  readonly source: string;
  readonly ports: readonly RegistryPort[];
}

/** One proxy of `/debug/adsz`. */
export interface AdsClient {
  readonly connectionId: string;
  readonly connectedAt: string;
  readonly mode: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly metadata?: Readonly<Record<string, unknown>>;
}

interface Address {
  readonly host: string;
  readonly port: number;
}

/** What the control plane shows on its pages. */
export class PilotClient {
  readonly url: string;

  constructor(url: string) {
    this.url = url;
  }

  /** `host:port` of xDS, in clear or by TLS, as seen from here. */
  async xdsAddress(secure: boolean): Promise<{ host: string; port: number }> {
    const { plain, tls } = await this.xdsAddresses();
    if (!secure) return plain;
    if (tls === null) throw new CommandError("The control plane has no TLS port. Start it with --authority.", 2);
    return tls;
  }

  /** In clear, and by TLS if it has that. */
  async xdsAddresses(): Promise<{ plain: Address; tls: Address | null }> {
    const page = await fetchJson<{ xds: string; secureXds: string | null }>(`${this.url}/debug/addressz`);
    return { plain: this.#seen(page.xds), tls: page.secureXds === null ? null : this.#seen(page.secureXds) };
  }

  #seen(xds: string): Address {
    const colon = xds.lastIndexOf(":");
    const host = xds.slice(0, colon).replace(/^\[|\]$/g, "");
    const isAny = host === "0.0.0.0" || host === "::";
    return { host: isAny ? new URL(this.url).hostname : host, port: Number(xds.slice(colon + 1)) };
  }

  registry(): Promise<RegistryService[]> {
    return fetchJson(`${this.url}/debug/registryz`);
  }

  async clients(): Promise<AdsClient[]> {
    return (await fetchJson<{ clients: AdsClient[] }>(`${this.url}/debug/adsz`)).clients;
  }

  join(instance: string): Promise<{ joined: boolean; refused: string | null }> {
    return fetchJson(`${this.url}/debug/joinz?instance=${encodeURIComponent(instance)}`);
  }
}
