/** One reason why a configuration cannot be taken. */
export interface ConfigFault {
  /** Field path as the wire package writes it: `http_filters[2].typed_config.num_retries`. */
  readonly path: string;
  readonly message: string;
}

/** Every reason in one line; a fault of the whole message has no path. */
export function describeFaults(faults: readonly ConfigFault[]): string {
  return faults.map(({ path, message }) => (path === "" ? message : `${path}: ${message}`)).join("; ");
}

/** What compiling a configuration message gives: a value, or every reason why there is none. */
export type Compiled<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly faults: readonly ConfigFault[] };

export function compiled<T>(value: T): Compiled<T> {
  return { ok: true, value };
}

/** The value unless faults were collected while it was made. */
export function compiledUnless<T>(faults: readonly ConfigFault[], value: T): Compiled<T> {
  return faults.length === 0 ? { ok: true, value } : { ok: false, faults };
}

/** Adds faults that were found below `path`; theirs are relative to it. */
export function addFaults(faults: ConfigFault[], path: string, found: readonly ConfigFault[]): void {
  for (const fault of found) faults.push({ path: fieldPath(path, fault.path), message: fault.message });
}

/** Joins the paths of a message and of a field in it, either of which may be empty. */
export function fieldPath(path: string, field: string): string {
  return path === "" || field === "" || field.startsWith("[") ? path + field : `${path}.${field}`;
}
