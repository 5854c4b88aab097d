/** The counter that productpage keeps of its own, beside everything that the mesh counts. */
export interface RequestCounter {
  increment(destination: string, status: number): void;
  /** The counter in the Prometheus text format. */
  render(): string;
}

const name = "request_result_total";

/** Bounded by itself: three destinations, and statuses that are HTTP's. */
export function createRequestCounter(): RequestCounter {
  const counts = new Map<string, number>();
  return {
    increment(destination, status) {
      const labels = `destination_app="${destination}",response_code="${status}"`;
      counts.set(labels, (counts.get(labels) ?? 0) + 1);
    },
    render() {
      const lines = [...counts].map(([labels, count]) => `${name}{${labels}} ${count}\n`);
      return `# HELP ${name} Calls to other services by their outcome; tries of one call count once.\n# TYPE ${name} counter\n${lines.join("")}`;
    },
  };
}
