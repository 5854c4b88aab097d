import { floorOf } from "./floors.mjs";

const SETUP = "not installed; npm run interop:setup installs it";

/** One JSON object a line. A peer that isn't there has null figures and says so in `missing`. */
export const jsonReporter = {
  begin() {},
  found(result) {
    const { ours, theirs, ratio } = result;
    print(JSON.stringify({ ...result, ours: rounded(ours), theirs: rounded(theirs), ratio: rounded(ratio) }));
  },
  missing(row, peer, metric) {
    print(JSON.stringify({ row, peer, metric, ours: null, theirs: null, ratio: null, missing: SETUP }));
  },
};

/** A table for people, with the floors and aims. */
export const tableReporter = {
  begin(description) {
    print(description);
    print(columns(["row", "against", "metric", "ours", "theirs", "ratio", "floor", "aim", ""]));
  },
  found({ row, peer, metric, ours, theirs, ratio }) {
    const bound = floorOf(row, peer, metric);
    const verdict = bound === null ? "" : (ratio ?? ours) <= bound.floor ? "holds" : "MISSED";
    const limits = bound === null ? ["", ""] : [String(bound.floor), String(bound.aim)];
    print(columns([row, peer ?? "-", metric, shown(ours), shown(theirs), shown(ratio), ...limits, verdict]));
  },
  missing(row, peer, metric) {
    print(columns([row, peer, metric, "", "", "", "", "", `MISSING: ${SETUP}`]));
  },
};

const WIDTHS = [20, 8, 23, 8, 8, 7, 6, 6];

function columns(texts) {
  return texts
    .map((text, i) => text.padEnd(WIDTHS[i] ?? 0))
    .join(" ")
    .trimEnd();
}

function shown(value) {
  return value === null ? "" : value.toFixed(value < 10 ? 2 : 1);
}

function rounded(value) {
  return value === null ? null : Number(value.toPrecision(4));
}

function print(text) {
  process.stdout.write(`${text}\n`);
}
