/** Resource names to be dealt with: some, or all that a watch covers. */
export class NameSelection {
  all = false;
  readonly names = new Set<string>();

  get empty(): boolean {
    return !this.all && this.names.size === 0;
  }

  has(name: string): boolean {
    return this.all || this.names.has(name);
  }

  add(names: Iterable<string> | "all"): void {
    if (names === "all") this.addAll();
    else if (!this.all) for (const name of names) this.names.add(name);
  }

  addAll(): void {
    this.all = true;
    this.names.clear();
  }

  delete(name: string): void {
    this.names.delete(name);
  }

  clear(): void {
    this.all = false;
    this.names.clear();
  }

  /** Empties this selection and returns what it held. */
  take(): NameSelection {
    const taken = new NameSelection();
    taken.all = this.all;
    for (const name of this.names) taken.names.add(name);
    this.clear();
    return taken;
  }
}
