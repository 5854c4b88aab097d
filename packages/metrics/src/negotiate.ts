/** An exposition format that this package writes. */
export interface Format {
  readonly name: "text" | "openmetrics";
  /** Value of the content-type header. */
  readonly contentType: string;
}

export const TEXT_FORMAT: Format = { name: "text", contentType: "text/plain; version=0.0.4; charset=utf-8" };

export const OPENMETRICS_FORMAT: Format = openMetrics("1.0.0");

/** Longest Accept header that is looked at, and most entries. */
const HEADER_LIMIT = 4096;
const ENTRY_LIMIT = 64;

interface Entry {
  readonly type: string;
  readonly version: string | null;
  readonly quality: number;
}

/**
 * The format that a scraper likes best, by its Accept header; text when it accepts none of ours, names
 * protobuf only, or sends nonsense. Among equals the first wins.
 */
export function negotiate(accept: string | null | undefined): Format {
  const entries = (accept ?? "").slice(0, HEADER_LIMIT).split(",").slice(0, ENTRY_LIMIT).map(parseEntry);
  entries.sort((a, b) => b.quality - a.quality);
  for (const { type, version, quality } of entries) {
    if (quality <= 0) break;
    const format = offered(type, version);
    if (format !== null) return format;
  }
  return TEXT_FORMAT;
}

function offered(type: string, version: string | null): Format | null {
  switch (type) {
    case "application/openmetrics-text":
      if (version === null || version === "1.0.0") return OPENMETRICS_FORMAT;
      // The draft differs in nothing that we write.
      return version === "0.0.1" ? openMetrics(version) : null;
    case "application/*":
      return OPENMETRICS_FORMAT;
    case "text/plain":
      return version === null || version === "0.0.4" ? TEXT_FORMAT : null;
    case "text/*":
    case "*/*":
      return TEXT_FORMAT;
    default:
      return null;
  }
}

function parseEntry(entry: string): Entry {
  const [type = "", ...parameters] = entry.split(";").map((part) => part.trim().toLowerCase());
  let version: string | null = null;
  let quality = 1;
  for (const parameter of parameters) {
    const equals = parameter.indexOf("=");
    const value = parameter.slice(equals + 1).replace(/^"(.*)"$/, "$1");
    if (parameter.startsWith("version=")) version = value;
    if (parameter.startsWith("q=")) quality = Number(value);
  }
  return { type, version, quality: quality >= 0 && quality <= 1 ? quality : 0 };
}

function openMetrics(version: string): Format {
  return { name: "openmetrics", contentType: `application/openmetrics-text; version=${version}; charset=utf-8` };
}
