import type { HeaderFields, HeaderKey } from "../vm/stream-host.ts";

/** A header section in memory. */
export class FakeHeaders implements HeaderFields {
  #fields: [name: string, value: string][];

  constructor(fields: readonly (readonly [name: string, value: string])[] = []) {
    this.#fields = fields.map(([name, value]) => [name, value]);
  }

  get size(): number {
    return this.#fields.length;
  }

  get byteSize(): number {
    return this.#fields.reduce((sum, [name, value]) => sum + name.length + value.length, 0);
  }

  getFirst({ text }: HeaderKey): string | null {
    for (const field of this.#fields) if (field[0] === text) return field[1];
    return null;
  }

  add({ text }: HeaderKey, value: string): void {
    this.#fields.push([text, value]);
  }

  set(name: HeaderKey, value: string): void {
    const at = this.#fields.findIndex(([text]) => text === name.text);
    if (at < 0) {
      this.add(name, value);
      return;
    }
    this.#fields = this.#fields.filter(([text], i) => i === at || text !== name.text);
    (this.#fields[at] as [string, string])[1] = value;
  }

  remove({ text }: HeaderKey): void {
    this.#fields = this.#fields.filter(([name]) => name !== text);
  }

  forEach(visit: (name: string, value: string) => void): void {
    for (const [name, value] of this.#fields) visit(name, value);
  }

  /** Everything, for assertions. */
  get list(): readonly (readonly [name: string, value: string])[] {
    return this.#fields;
  }

  value(name: string): string | null {
    return this.getFirst({ text: name });
  }
}
