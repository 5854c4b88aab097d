import { create } from "@bufbuild/protobuf";
import { type DataSource, DataSourceSchema } from "@mixerless/wire/envoy/config/core/v3/base";
import type { SubstitutionFormatString } from "@mixerless/wire/envoy/config/core/v3/substitution_format_string";
import type { ConfigFault } from "../../network/config-fault.ts";
import { createJsonFormat } from "./json-format.ts";
import type { FormatParts } from "./operator.ts";
import { createOperators } from "./operators/table.ts";
import { parseFormat } from "./parse-format.ts";
import { createTextFormat, type LineFormat } from "./text-format.ts";

/** What Envoy writes where no format is configured. Istio always configures one. */
export const DEFAULT_TEXT_FORMAT =
  '[%START_TIME%] "%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%" %RESPONSE_CODE% %RESPONSE_FLAGS% ' +
  "%BYTES_RECEIVED% %BYTES_SENT% %DURATION% %RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% " +
  '"%REQ(X-FORWARDED-FOR)%" "%REQ(USER-AGENT)%" "%REQ(X-REQUEST-ID)%" "%REQ(:AUTHORITY)%" "%UPSTREAM_HOST%"\n';

/** Compiles a text; for lines of a log and for header values alike. */
export function compileText(
  text: string,
  parts: FormatParts,
  path: string,
  faults: ConfigFault[],
  missing = "-",
): LineFormat {
  const parsed = parseFormat(text, createOperators(parts), path);
  faults.push(...parsed.faults);
  return createTextFormat(parsed.segments, missing);
}

/** Compiles a JSON format, see {@link createJsonFormat}. */
export function compileJson(
  format: unknown,
  omitEmpty: boolean,
  parts: FormatParts,
  path: string,
  faults: ConfigFault[],
): LineFormat {
  return createJsonFormat(format, omitEmpty, createOperators(parts), path, faults);
}

/** Compiles what `log_format` and its like hold. */
export function compileSubstitution(
  format: SubstitutionFormatString,
  parts: FormatParts,
  path: string,
  faults: ConfigFault[],
): LineFormat {
  const missing = format.omitEmptyValues ? "" : "-";
  switch (format.format.case) {
    case "textFormat":
      return compileText(format.format.value, parts, `${path}.textFormat`, faults, missing);
    case "textFormatSource": {
      const at = `${path}.textFormatSource`;
      return compileText(inlineText(format.format.value, at, faults), parts, at, faults, missing);
    }
    case "jsonFormat":
      return compileJson(format.format.value, format.omitEmptyValues, parts, `${path}.jsonFormat`, faults);
    default:
      return compileText(DEFAULT_TEXT_FORMAT, parts, path, faults, missing);
  }
}

/** The text of a DataSource that carries it. Files and environment variables are not read on behalf of a peer. */
export function inlineText(source: DataSource | undefined, path: string, faults: ConfigFault[]): string {
  const specifier = (source ?? create(DataSourceSchema)).specifier;
  switch (specifier.case) {
    case "inlineString":
      return specifier.value;
    case "inlineBytes":
      return Buffer.from(specifier.value).toString("utf8");
    case undefined:
      return "";
    default:
      faults.push({ path, message: `a data source of kind ${specifier.case} is not supported; write the text inline` });
      return "";
  }
}
