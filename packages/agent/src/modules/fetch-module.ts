import type { Clock } from "@mixerless/clock";
import type { ModuleRequest } from "@mixerless/proxy";
import { FetchFault } from "./fetch-fault.ts";
import { type FetchedModule, fetchImage, sha256 } from "./fetch-image.ts";
import { httpGet, parseUrl } from "./http-get.ts";
import { parseImage } from "./image-reference.ts";
import type { ModuleSettings } from "./module-settings.ts";
import { unpackModule } from "./unpack-module.ts";

type FetchSettings = Pick<ModuleSettings, "maxBytes" | "requestTimeout" | "insecureRegistries">;

/** Gets a module once. Rejects with a {@link FetchFault}. */
export async function fetchModule(
  request: ModuleRequest,
  settings: FetchSettings,
  clock: Clock,
): Promise<FetchedModule> {
  const { url, pullSecret } = request;
  const { maxBytes: limit, requestTimeout: timeout, insecureRegistries } = settings;
  if (/^https?:\/\//.test(url)) return fetchFile(url, { clock, timeout, limit });
  if (url.includes("://") && !url.startsWith("oci://"))
    throw new FetchFault(`"${url}" can't be fetched; use oci://, http:// or https://`, false);
  const image = parseImage(url);
  const insecure = insecureRegistries.has("*") || insecureRegistries.has(image.registry);
  return fetchImage(image, { clock, timeout, limit, insecure, pullSecret });
}

/** Statuses of servers that won't change their mind soon. */
const FINAL = new Set([501, 505, 511]);

async function fetchFile(
  text: string,
  options: { clock: Clock; timeout: number; limit: number },
): Promise<FetchedModule> {
  const url = parseUrl(text);
  if (url === null) throw new FetchFault(`"${text}" is no address`, false);
  const { status, body } = await httpGet(url, options);
  if (status !== 200)
    throw new FetchFault(`${url.host}${url.pathname} answers ${status}`, status >= 500 && !FINAL.has(status));
  return { checksum: sha256(body), bytes: await unpackModule(body, options.limit, url.host + url.pathname) };
}
