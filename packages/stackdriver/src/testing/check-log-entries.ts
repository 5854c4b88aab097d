import type { WriteLogEntriesRequest } from "@mixerless/wire/google/logging/v2/logging";
import { checkResource } from "./check-resource.ts";

const MOST_ENTRIES = 1000;
const MOST_ENTRY_BYTES = 256 * 1024;

/** Google's rules for `WriteLogEntries` beyond the definition. */
export function checkLogEntries(request: WriteLogEntriesRequest, bytes: number): string[] {
  const faults = request.resource === undefined ? [] : checkResource(request.resource);
  if (request.entries.length === 0) faults.push("entries: there are none");
  if (request.entries.length > MOST_ENTRIES) faults.push(`entries: more than ${MOST_ENTRIES}`);
  if (bytes > 10_000_000) faults.push("more than 10 MB");
  for (const [index, entry] of request.entries.entries()) {
    const at = `entries[${index}]`;
    const logName = entry.logName || request.logName;
    if (!/^projects\/[a-z0-9:.-]+\/logs\/[A-Za-z0-9/_.%-]{1,511}$/.test(logName))
      faults.push(`${at}.log_name: "${logName}"`);
    if (entry.resource === undefined && request.resource === undefined) faults.push(`${at}.resource is required`);
    if (entry.insertId.length > 512) faults.push(`${at}.insert_id is too long`);
    const labels = { ...request.labels, ...entry.labels };
    if (Object.keys(labels).length > 64) faults.push(`${at}.labels: more than 64`);
    if (JSON.stringify(labels).length > MOST_ENTRY_BYTES) faults.push(`${at} is too large`);
    const url = entry.httpRequest?.requestUrl;
    if (url !== undefined && !URL.canParse(url)) faults.push(`${at}.http_request.request_url: "${url}"`);
  }
  return faults;
}
