/**
 * Earliest-deadline-first schedule over weighted items: item i is picked in proportion to its weight,
 * evenly spread rather than in runs. A binary heap of virtual deadlines.
 */
export class WeightedSchedule<T> {
  readonly #heap: { item: T; deadline: number; order: number }[] = [];
  readonly #weight: (item: T) => number;
  #order = 0;
  #now = 0;

  /** `weight` is asked at each pick, so that it may depend on the load of the item. It must be > 0. */
  constructor(items: readonly T[], weight: (item: T) => number, firstOffset: () => number) {
    this.#weight = weight;
    for (const item of items) this.#push(item, firstOffset() / weight(item));
  }

  next(): T | null {
    const first = this.#heap[0];
    if (first === undefined) return null;
    this.#now = first.deadline;
    this.#popFirst();
    this.#push(first.item, this.#now + 1 / this.#weight(first.item));
    return first.item;
  }

  #push(item: T, deadline: number): void {
    const heap = this.#heap;
    heap.push({ item, deadline, order: this.#order++ });
    for (let child = heap.length - 1; child > 0; ) {
      const parent = (child - 1) >> 1;
      if (this.#before(parent, child)) break;
      this.#swap(parent, child);
      child = parent;
    }
  }

  #popFirst(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    heap[0] = last;
    for (let parent = 0; ; ) {
      const left = 2 * parent + 1;
      if (left >= heap.length) break;
      const right = left + 1;
      const child = right < heap.length && this.#before(right, left) ? right : left;
      if (this.#before(parent, child)) break;
      this.#swap(parent, child);
      parent = child;
    }
  }

  #before(a: number, b: number): boolean {
    const x = this.#heap[a];
    const y = this.#heap[b];
    if (x === undefined || y === undefined) return false;
    return x.deadline < y.deadline || (x.deadline === y.deadline && x.order < y.order);
  }

  #swap(a: number, b: number): void {
    const heap = this.#heap;
    const x = heap[a];
    const y = heap[b];
    if (x === undefined || y === undefined) return;
    heap[a] = y;
    heap[b] = x;
  }
}
