import { listAt, textAt } from "./json.ts";

/** What a proxy's `/ignored_fields` lists; null when it does not tell, as Envoy does not. */
export type IgnoredFields = readonly unknown[] | null;

export function ignoredFieldsOf(status: number, body: string): IgnoredFields {
  if (status !== 200) return null;
  try {
    return listAt(JSON.parse(body), "ignored_fields");
  } catch {
    return null;
  }
}

/** One line for each field, with the first resource that sets it. */
export function ignoredLines(fields: IgnoredFields): string {
  if (fields === null) return "Ignored fields: this proxy does not tell\n";
  if (fields.length === 0) return "Ignored fields: none\n";
  const lines = fields.map((entry) => {
    const count = Number(textAt(entry, "resources"));
    const example = `${textAt(entry, "example", "resource")}: ${textAt(entry, "example", "path")}`;
    return `  ${textAt(entry, "type")} ${textAt(entry, "field")} (${example}${count > 1 ? `, and ${count - 1} more` : ""})\n`;
  });
  return `Ignored fields (accepted by the proxy, not acted on)\n${lines.join("")}`;
}
