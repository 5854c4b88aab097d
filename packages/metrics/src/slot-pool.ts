/** Where the values of one series live. The pool fills it in. */
export interface SlotHolder {
  page: Float64Array;
  offset: number;
  slot: number;
}

const PAGE_DOUBLES = 1024;
const MIN_SLOTS = 32;

/**
 * Room for series of one size in pages of doubles. A freed slot is the first to be used again; pages
 * are kept, because 8 bytes a value are nothing beside the labels.
 */
export class SlotPool {
  /** Doubles per slot. */
  readonly stride: number;
  readonly #perPage: number;
  readonly #pages: Float64Array[] = [];
  readonly #free: number[] = [];
  #next = 0;

  constructor(stride: number) {
    this.stride = stride;
    this.#perPage = Math.max(MIN_SLOTS, Math.floor(PAGE_DOUBLES / stride));
  }

  /** Gives `holder` a slot full of zeros. */
  allocate(holder: SlotHolder): void {
    const slot = this.#free.pop() ?? this.#next++;
    const number = Math.floor(slot / this.#perPage);
    let page = this.#pages[number];
    if (page === undefined) {
      page = new Float64Array(this.#perPage * this.stride);
      this.#pages.push(page);
    }
    holder.page = page;
    holder.offset = (slot % this.#perPage) * this.stride;
    holder.slot = slot;
    page.fill(0, holder.offset, holder.offset + this.stride);
  }

  /** Takes the slot of `holder` back. Its values may be read until the next {@link allocate}. */
  free(holder: SlotHolder): void {
    this.#free.push(holder.slot);
  }
}
