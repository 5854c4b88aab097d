import { REQUEST_HEADERS, RESPONSE_HEADERS } from "../native/constants.ts";
import { StreamHandle } from "../native/handles.ts";
import type { HeaderName, HeaderValue, Property, StateName } from "../native/names.ts";
import { type Attribute, attributeAt, attributeNumber, attributeText } from "./attributes.ts";

/** Headers in order; a name may be repeated. */
export type FakeHeaders = Array<[name: string, value: string]>;

/** What a fake stream knows. */
export interface FakeStreamOptions {
  /** Attributes by path, e.g. `{ response: { code: 200 } }`. May be changed while the stream lives. */
  readonly attributes?: Attribute;
  readonly requestHeaders?: FakeHeaders;
}

/** A host of stream contexts. It keeps the ABI's rules on which headers can be seen and changed when. */
export class FakeStream extends StreamHandle {
  attributes: Attribute;
  requestHeaders: FakeHeaders;
  responseHeaders: FakeHeaders = [];
  readonly #root: Attribute;
  readonly #states = new Map<string, string>();
  readonly #attached = new Set<number>();
  #readOnly = false;

  /** `root`: attributes that all streams of the host have. */
  constructor(root: Attribute, options: FakeStreamOptions = {}) {
    super();
    this.#root = root;
    this.attributes = options.attributes ?? {};
    this.requestHeaders = options.requestHeaders ?? [];
  }

  /** Runs `callback` with these header maps attached. */
  during(maps: readonly number[], readOnly: boolean, callback: () => void): void {
    for (const map of maps) this.#attached.add(map);
    this.#readOnly = readOnly;
    callback();
    this.#attached.clear();
    this.#readOnly = false;
  }

  /** An attribute of the stream or of its root; undefined if there is none. */
  attribute(path: readonly string[]): Attribute | undefined {
    const own = attributeAt(this.attributes, path) ?? attributeAt(this.#root, path);
    if (own !== undefined) return own;
    if (path[0] === "filter_state" && path.length === 2) return this.#states.get(path[1] ?? "");
    if (path[0] === "request" && path[1] === "host") return this.#find(this.requestHeaders, ":authority")?.[1];
    return undefined;
  }

  getString(property: Property): string | null {
    return attributeText(this.attribute(property.path));
  }

  getNumber(property: Property, missing: number): number {
    return attributeNumber(this.attribute(property.path), missing);
  }

  getHeader(map: number, name: HeaderName): string | null {
    return this.header(map, name.name);
  }

  headerSize(map: number, name: HeaderName): number {
    return this.header(map, name.name)?.length ?? -1;
  }

  replaceHeader(map: number, name: HeaderName, value: HeaderValue): void {
    this.setHeader(map, name.name, value.text);
  }

  removeHeader(map: number, name: HeaderName): void {
    this.deleteHeader(map, name.name);
  }

  getState(name: StateName): string | null {
    return this.state(name.name);
  }

  setState(name: StateName, value: string): void {
    if (!this.#states.has(name.name)) this.#states.set(name.name, value);
  }

  /** Filter state by plain name. */
  state(name: string): string | null {
    return this.#states.get(name) ?? null;
  }

  /** Sets filter state as the ABI's `set_property` does, where the last writer wins. */
  overwriteState(name: string, value: string): void {
    this.#states.set(name, value);
  }

  /** The first value of an attached header, by plain name. */
  header(map: number, name: string): string | null {
    const headers = this.#attachedHeaders(map);
    return headers === null ? null : (this.#find(headers, name)?.[1] ?? null);
  }

  /** Sets an attached header that can be changed, by plain name. */
  setHeader(map: number, name: string, value: string): void {
    const headers = this.#attachedHeaders(map);
    if (headers === null || this.#readOnly) return;
    this.deleteHeader(map, name);
    headers.push([name, value]);
  }

  deleteHeader(map: number, name: string): void {
    const headers = this.#attachedHeaders(map);
    if (headers === null || this.#readOnly) return;
    for (let i = headers.length - 1; i >= 0; i--) {
      if (headers[i]?.[0] === name) headers.splice(i, 1);
    }
  }

  #attachedHeaders(map: number): FakeHeaders | null {
    if (!this.#attached.has(map)) return null;
    if (map === REQUEST_HEADERS) return this.requestHeaders;
    return map === RESPONSE_HEADERS ? this.responseHeaders : null;
  }

  #find(headers: FakeHeaders, name: string): [string, string] | undefined {
    return headers.find((header) => header[0] === name);
  }
}
