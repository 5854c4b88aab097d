import type { FamilyKind, Layout, ReadSeries } from "./series-table.ts";

const COMMENT = /^# (?:TYPE|HELP|UNIT) (\S+)(?: (\S+))?/;

/**
 * Reads an exposition that one of our stores printed, a piece at a time; the text is taken as bytes (latin1), so that
 * no piece ends within a letter. Not for the texts of others.
 */
export class ExpositionReader {
  readonly #openMetrics: boolean;
  readonly #onSeries: (series: ReadSeries) => void;
  /** By family, what stood before its samples: HELP, TYPE, UNIT. */
  readonly heads = new Map<string, string>();
  #rest = "";
  #declared = "";
  #head = "";
  #typed = "";
  #family = "";
  #kind: FamilyKind = "counter";
  #bounds: string[] = [];
  #values: number[] = [];
  #hasSum = false;
  #layout: Layout | null = null;

  constructor(openMetrics: boolean, onSeries: (series: ReadSeries) => void) {
    this.#openMetrics = openMetrics;
    this.#onSeries = onSeries;
  }

  push(piece: Uint8Array): void {
    const text = this.#rest + Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength).toString("latin1");
    let start = 0;
    for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n", start)) {
      this.#readLine(text.slice(start, end));
      start = end + 1;
    }
    this.#rest = text.slice(start);
  }

  #readLine(line: string): void {
    if (line.startsWith("#")) this.#readComment(line);
    else if (line !== "") this.#readSample(line);
  }

  #readComment(line: string): void {
    const [, name = "", word = ""] = COMMENT.exec(line) ?? [];
    if (name === "") return;
    if (name !== this.#declared) {
      this.#declared = name;
      this.#head = "";
    }
    this.#head += `${line}\n`;
    if (line.startsWith("# TYPE")) {
      this.#typed = name;
      this.#kind = word === "gauge" || word === "histogram" ? word : "counter";
      // OpenMetrics declares a counter without the end of its samples' name.
      this.#family = this.#openMetrics && word === "counter" ? `${name}_total` : name;
    }
    if (this.#typed === name) this.heads.set(this.#family, this.#head);
  }

  /** Most series have the layout of the one before. */
  #takeLayout(): Layout {
    const [bounds, hasSum, last] = [this.#bounds, this.#hasSum, this.#layout];
    this.#bounds = [];
    const same =
      last !== null &&
      last.hasSum === hasSum &&
      last.bounds.length === bounds.length &&
      bounds.every((bound, i) => bound === last.bounds[i]);
    if (same) return last;
    const key = Buffer.from(`${bounds.join(" ")} ${hasSum}`, "latin1").toString("latin1");
    const layout = { bounds: key.split(" ").slice(0, -1), hasSum, key };
    this.#layout = layout;
    return layout;
  }

  #readSample(line: string): void {
    const space = line.lastIndexOf(" ");
    const value = numberOf(line.slice(space + 1));
    const brace = line.indexOf("{");
    const name = line.slice(0, brace < 0 ? space : brace);
    const labels = brace < 0 ? "" : line.slice(brace + 1, space - 1);
    const kind = this.#kind;
    if (kind !== "histogram") {
      this.#onSeries({ family: name, kind, labels, layout: null, values: [value] });
      return;
    }
    this.#values.push(value);
    switch (name.slice(this.#family.length)) {
      case "_bucket":
        this.#bounds.push(labels.slice(labels.lastIndexOf('le="') + 4, -1));
        return;
      case "_sum":
        this.#hasSum = true;
        return;
      case "_count": {
        this.#onSeries({ family: this.#family, kind, labels, layout: this.#takeLayout(), values: this.#values });
        this.#values = [];
        this.#hasSum = false;
      }
    }
  }
}

function numberOf(text: string): number {
  return text === "+Inf" ? Number.POSITIVE_INFINITY : text === "-Inf" ? Number.NEGATIVE_INFINITY : Number(text);
}
