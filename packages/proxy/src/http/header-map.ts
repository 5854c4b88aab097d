import type { HeaderName } from "./header-name.ts";

/**
 * The header section of one message, pseudo-headers included (`:method`, `:path`, `:authority`,
 * `:scheme`, `:status`). Values are byte strings: one char is one byte, so nothing is lost or
 * invented by decoding. Names are lower case. Order is kept.
 *
 * This is the reference form; the codec's form keeps offsets into the received head instead.
 */
export class HeaderMap {
  #names: string[] = [];
  #values: string[] = [];

  /** The value, several joined by a comma as HTTP allows; null when absent. */
  get(name: HeaderName): string | null {
    let found: string | null = null;
    for (let i = 0; i < this.#names.length; i++) {
      if (this.#names[i] !== name.text) continue;
      found = found === null ? (this.#values[i] ?? "") : `${found},${this.#values[i]}`;
    }
    return found;
  }

  has(name: HeaderName): boolean {
    return this.#names.includes(name.text);
  }

  /** Replaces every value of the name, in the place of the first. */
  set(name: HeaderName, value: string): void {
    const at = this.#names.indexOf(name.text);
    if (at < 0) {
      this.add(name, value);
      return;
    }
    this.#values[at] = value;
    for (let i = this.#names.length - 1; i > at; i--) if (this.#names[i] === name.text) this.#removeAt(i);
  }

  add(name: HeaderName, value: string): void {
    this.#names.push(name.text);
    this.#values.push(value);
  }

  remove(name: HeaderName): void {
    for (let i = this.#names.length - 1; i >= 0; i--) if (this.#names[i] === name.text) this.#removeAt(i);
  }

  forEach(visit: (name: string, value: string) => void): void {
    for (let i = 0; i < this.#names.length; i++) visit(this.#names[i] ?? "", this.#values[i] ?? "");
  }

  /** Sum of the lengths of names and values. */
  get byteSize(): number {
    let size = 0;
    for (let i = 0; i < this.#names.length; i++) size += (this.#names[i] ?? "").length + (this.#values[i] ?? "").length;
    return size;
  }

  #removeAt(index: number): void {
    this.#names.splice(index, 1);
    this.#values.splice(index, 1);
  }
}
