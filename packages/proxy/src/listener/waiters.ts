/** Promises that resolve when something holds. */
export class Waiters {
  readonly #waiting: { readonly holds: () => boolean; readonly resolve: () => void }[] = [];

  until(holds: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push({ holds, resolve });
      this.look();
    });
  }

  /** To be called when something may have come to hold. */
  look(): void {
    for (const waiter of this.#waiting.splice(0)) {
      if (waiter.holds()) waiter.resolve();
      else this.#waiting.push(waiter);
    }
  }
}
