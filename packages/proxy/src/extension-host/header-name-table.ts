import { HeaderName } from "../http/header-name.ts";
import type { ExtensionHeaderName } from "./extension.ts";

/** The codec's names of the headers that extensions name, found once per name. */
export class HeaderNameTable {
  readonly #names: (HeaderName | undefined)[] = [];

  of(name: ExtensionHeaderName): HeaderName {
    const known = this.#names[name.slot];
    if (known !== undefined) return known;
    const made = HeaderName.of(name.name);
    this.#names[name.slot] = made;
    return made;
  }
}
