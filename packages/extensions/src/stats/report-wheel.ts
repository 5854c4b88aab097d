const SLOTS: i32 = 5;

/** Something that reports at an interval: a TCP connection or a gRPC stream. */
export abstract class Reporter {
  /** The wheel's own. */
  slot: i32 = -1;
  previous: Reporter | null = null;
  next: Reporter | null = null;

  abstract report(): void;
}

/**
 * Calls each reporter once per turn, a turn being {@link turn} ticks. Spreads the work: those that began at different
 * times report at different ticks. Costs one tick in all, not a timer per stream.
 */
export class ReportWheel {
  private readonly first: Array<Reporter | null> = [];
  private at: i32 = 0;
  private count: i32 = 0;

  constructor() {
    for (let i: i32 = 0; i < SLOTS; i++) this.first.push(null);
  }

  /** Ticks per turn. */
  get turn(): i32 {
    return SLOTS;
  }

  get isEmpty(): boolean {
    return this.count === 0;
  }

  /** Its first report comes after one turn, or up to one tick earlier. */
  add(reporter: Reporter): void {
    const head = this.first[this.at] as Reporter | null;
    reporter.slot = this.at;
    reporter.next = head;
    if (head !== null) head.previous = reporter;
    this.first[this.at] = reporter;
    this.count++;
  }

  /** Removing what is not there does nothing. */
  remove(reporter: Reporter): void {
    if (reporter.slot < 0) return;
    const previous = reporter.previous;
    const next = reporter.next;
    if (previous !== null) previous.next = next;
    else this.first[reporter.slot] = next;
    if (next !== null) next.previous = previous;
    reporter.previous = null;
    reporter.next = null;
    reporter.slot = -1;
    this.count--;
  }

  /** Calls those whose turn it is. */
  tick(): void {
    this.at = (this.at + 1) % SLOTS;
    let reporter = this.first[this.at] as Reporter | null;
    while (reporter !== null) {
      const next: Reporter | null = reporter.next;
      reporter.report();
      reporter = next;
    }
  }
}
