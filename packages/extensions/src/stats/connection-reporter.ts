import { Property, StreamContext } from "@mixerless/sdk";
import { CustomValues } from "./custom-values.ts";
import { TCP_CLOSED, TCP_OPENED, TCP_RECEIVED, TCP_SENT } from "./metrics.ts";
import { PeerWatch } from "./peer-watch.ts";
import { Reporter } from "./report-wheel.ts";
import { SeriesSet } from "./series.ts";
import { SeriesTable, TCP } from "./series-table.ts";

/** Bytes of a connection, seen from its downstream side for both reporters. */
export class ByteCounts {
  readonly received: Property = new Property(["request", "total_size"]);
  readonly sent: Property = new Property(["response", "total_size"]);
}

/** Measures one TCP connection: at intervals once its peer is known, and at its end. Labels are chosen once. */
export class ConnectionReporter extends Reporter {
  private readonly stream: StreamContext;
  private readonly table: SeriesTable;
  private readonly peers: PeerWatch;
  private readonly bytes: ByteCounts;
  private series: SeriesSet | null = null;
  private sent: f64 = 0;
  private received: f64 = 0;

  constructor(stream: StreamContext, table: SeriesTable, peers: PeerWatch, bytes: ByteCounts) {
    super();
    this.stream = stream;
    this.table = table;
    this.peers = peers;
    this.bytes = bytes;
  }

  override report(): void {
    this.stream.activate();
    if (this.series !== null || this.peers.isSettled(this.stream)) this.flush();
  }

  close(custom: CustomValues): void {
    const series = this.flush();
    series.add(TCP_CLOSED, 1);
    custom.give(this.stream, series);
  }

  private flush(): SeriesSet {
    const known = this.series;
    const series = known !== null ? known : this.table.find(this.stream, TCP);
    if (known === null) {
      this.series = series;
      series.add(TCP_OPENED, 1);
    }
    const sent: f64 = this.stream.getNumber(this.bytes.sent, this.sent);
    const received: f64 = this.stream.getNumber(this.bytes.received, this.received);
    series.add(TCP_SENT, sent - this.sent);
    series.add(TCP_RECEIVED, received - this.received);
    this.sent = sent;
    this.received = received;
    return series;
  }
}
