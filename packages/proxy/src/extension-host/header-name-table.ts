import { CheckedFieldValue } from "../http/field-value.ts";
import { HeaderName } from "../http/header-name.ts";
import type { ExtensionHeaderName, ExtensionHeaderValue } from "./extension.ts";

/** The codec's names of the headers that extensions name, found once per name, and the values that they keep, checked once. */
export class HeaderNameTable {
  readonly #names: (HeaderName | undefined)[] = [];
  readonly #values = new WeakMap<ExtensionHeaderValue, CheckedFieldValue>();

  of(name: ExtensionHeaderName): HeaderName {
    const known = this.#names[name.slot];
    if (known !== undefined) return known;
    const made = HeaderName.of(name.name);
    this.#names[name.slot] = made;
    return made;
  }

  /** An extension makes a value once and never changes it. */
  checked(value: ExtensionHeaderValue): CheckedFieldValue {
    const known = this.#values.get(value);
    if (known !== undefined) return known;
    const made = new CheckedFieldValue(value.text);
    this.#values.set(value, made);
    return made;
  }
}
