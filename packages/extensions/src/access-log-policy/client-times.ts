/** When clients were logged last, in nanoseconds. Over its size it forgets the oldest quarter. */
export class ClientTimes {
  private readonly maximum: i32;
  private readonly times: Map<string, f64> = new Map<string, f64>();
  private clients: string[] = [];

  constructor(maximum: i32) {
    this.maximum = maximum;
  }

  /** 0 for a client that is not known. */
  last(client: string): f64 {
    return this.times.has(client) ? this.times.get(client)! : 0;
  }

  put(client: string, time: f64): void {
    if (!this.times.has(client)) {
      if (this.clients.length > this.maximum) this.evict();
      this.clients.push(client);
    }
    this.times.set(client, time);
  }

  private evict(): void {
    const count: i32 = this.maximum >> 2 > 0 ? this.maximum >> 2 : 1;
    for (let i: i32 = 0; i < count; i++) this.times.delete(this.clients[i]!);
    this.clients = this.clients.slice(count);
  }
}
