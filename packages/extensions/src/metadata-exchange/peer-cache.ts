/**
 * Metadata by peer id. Gives the same string object each time, so that whoever looks up by it finds its hash ready.
 * Over its size it forgets the oldest quarter.
 */
export class PeerCache {
  private readonly maximum: i32;
  private readonly metadata: Map<string, string> = new Map<string, string>();
  private ids: string[] = [];

  /** 0 keeps nothing. */
  constructor(maximum: i32) {
    this.maximum = maximum;
  }

  get(id: string): string | null {
    return this.metadata.has(id) ? this.metadata.get(id)! : null;
  }

  put(id: string, metadata: string): void {
    if (this.maximum <= 0 || this.metadata.has(id)) return;
    this.metadata.set(id, metadata);
    this.ids.push(id);
    if (this.ids.length > this.maximum) this.evict();
  }

  private evict(): void {
    const count: i32 = this.maximum >> 2 > 0 ? this.maximum >> 2 : 1;
    for (let i: i32 = 0; i < count; i++) this.metadata.delete(this.ids[i]!);
    this.ids = this.ids.slice(count);
  }
}
