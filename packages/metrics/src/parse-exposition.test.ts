import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Exposition, ParseFault } from "./exposition.ts";
import { type ParseOptions, parseExposition } from "./parse-exposition.ts";
import { findSamples, sampleKey, sumSamples } from "./samples.ts";

function parse(text: string, options?: ParseOptions): Exposition {
  const parsed = parseExposition(text, options);
  if ("faults" in parsed) throw new Error(JSON.stringify(parsed.faults));
  return parsed;
}

function faults(text: string, options?: ParseOptions): readonly ParseFault[] {
  const parsed = parseExposition(text, options);
  return "faults" in parsed ? parsed.faults : [];
}

const values = (text: string) => parse(text).samples.map((sample) => sample.value);

describe("the text format", () => {
  it("is read with families, types and help", () => {
    const { format, families, samples } = parse(
      [
        '# HELP http_requests_total The \\\\ total\\nof "requests".',
        "# TYPE http_requests_total counter",
        'http_requests_total{method="post",code="200"} 1027 1395066363000',
        'http_requests_total{method="post",code="400"}    3 -5',
        "# A comment, and an empty line.",
        "",
        "untyped_one{} 12.47",
        "  \t ",
        "# TYPE latency histogram",
        'latency_bucket{le="0.05"} 24054',
        'latency_bucket{le="+Inf"} 144320',
        "latency_sum 53423",
        "latency_count 144320",
        "# TYPE rpc summary",
        'rpc{quantile="0.5"} NaN',
        "rpc_sum 1.7560473e+07",
        "rpc_count 2693",
        "# TYPE old untyped",
        "old 1",
        "",
      ].join("\n"),
    );
    expect(format).toBe("text");
    expect([...families.values()].map((family) => [family.name, family.type, family.samples.length])).toEqual([
      ["http_requests_total", "counter", 2],
      ["untyped_one", "unknown", 1],
      ["latency", "histogram", 4],
      ["rpc", "summary", 3],
      ["old", "unknown", 1],
    ]);
    expect(families.get("http_requests_total")?.help).toBe('The \\ total\nof "requests".');
    expect(samples).toHaveLength(11);
    expect(samples[0]).toMatchObject({
      name: "http_requests_total",
      labels: { method: "post", code: "200" },
      value: 1027,
      timestamp: 1395066363000,
    });
    expect(samples[1]?.timestamp).toBe(-5);
    expect(samples[2]).toMatchObject({ labels: {}, value: 12.47, timestamp: null });
  });

  it("allows blanks between tokens and a comma at the end", () => {
    const { samples } = parse('\t m { a = "1" , b="2" , }\t 3 \t 4 \nn 5');
    expect(samples).toMatchObject([
      { name: "m", labels: { a: "1", b: "2" }, value: 3, timestamp: 4 },
      { name: "n", value: 5 },
    ]);
  });

  it("unescapes label values exactly", () => {
    const { samples } = parse('m{a="\\\\",b="\\"",c="\\n",d="\\\\n",e="\\\\\\"",f="},{=#",g=""} 1');
    expect({ ...samples[0]?.labels }).toEqual({ a: "\\", b: '"', c: "\n", d: "\\n", e: '\\"', f: "},{=#", g: "" });
  });

  it("keeps labels apart from what objects have by nature", () => {
    const { samples } = parse('m{__proto__="x",constructor="y"} 1\nn 1');
    expect(Object.entries(samples[0]?.labels ?? {})).toEqual([
      ["__proto__", "x"],
      ["constructor", "y"],
    ]);
    expect("constructor" in (samples[1]?.labels ?? {})).toBe(false);
  });

  it("reads numbers as Go does", () => {
    expect(values("a +Inf\na -Inf\na Inf\na inf\na 1e3\na +1\na -.5\na 5.\na 1E-2")).toEqual([
      Number.POSITIVE_INFINITY,
      Number.NEGATIVE_INFINITY,
      Number.POSITIVE_INFINITY,
      Number.POSITIVE_INFINITY,
      1000,
      1,
      -0.5,
      5,
      0.01,
    ]);
    expect(values("a 9007199254740993\na 123456789012345\na NaN")).toEqual([2 ** 53, 123456789012345, Number.NaN]);
  });

  it.each([
    ["0leading 1", "bad_name"],
    ['{a="1"} 1', "bad_name"],
    ["m", "bad_value"],
    ["m ", "bad_value"],
    ["m x", "bad_value"],
    ["m 0x1p-2", "bad_value"],
    ["m 1_000", "bad_value"],
    ["m 1\r", "bad_value"],
    ["m 1 2.5", "bad_timestamp"],
    ["m 1 2 3", "unexpected_text"],
    ['m 1 # {a="b"} 1', "unexpected_text"],
    ["m{a=1} 1", "bad_label"],
    ["m{a} 1", "bad_label"],
    ["m{,} 1", "bad_label"],
    ['m{a="1",,b="2"} 1', "bad_label"],
    ['m{a="1"b="2"} 1', "bad_label"],
    ['m{a="1} 1', "bad_label"],
    ['m{a="1\\"} 1', "bad_label"],
    ['m{a="1\\', "bad_label"],
    ['m{a="\\t"} 1', "bad_label"],
    ['m{a="1"', "bad_label"],
    ['m{a:b="1"} 1', "bad_label"],
    ['m{a="1",a="2"} 1', "repeated_label"],
    ["# TYPE m nonsense", "bad_metadata"],
    ["# TYPE 0m counter", "bad_name"],
    ["# TYPE m counter\n# TYPE m counter", "repeated_metadata"],
    ["m 1\n# TYPE m counter", "late_metadata"],
    ["m 1\nn 1\nm 2", "split_family"],
  ])("%j has the fault %s", (text, code) => {
    const found = faults(`${text}\n`);
    expect(found.map((fault) => fault.code)).toEqual([code]);
    expect(found[0]?.line).toBe(text.split("\n").length);
  });

  it("says where the fault is", () => {
    expect(faults('ok 1\nm{a="1" b="2"} 1')).toMatchObject([{ line: 2, column: 9 }]);
    expect(faults("m one")).toMatchObject([{ line: 1, column: 6 }]);
  });

  it("reads two bodies behind one another if it is asked to be lenient", () => {
    const text = '# TYPE m counter\nm{a="\\t"} 1\nn 1\n# TYPE m counter\nm{a="b"} 2\n';
    expect(faults(text).map((fault) => fault.code)).toEqual(["bad_label", "repeated_metadata"]);
    const { families } = parse(text, { lenient: true });
    expect(families.get("m")?.samples.map((sample) => sample.labels.a)).toEqual(["\\t", "b"]);
  });
});

describe("OpenMetrics", () => {
  const openMetrics = (...lines: string[]) => [...lines, "# EOF", ""].join("\n");

  it("is recognised by its end and read with units and exemplars", () => {
    const { format, families, samples } = parse(
      openMetrics(
        "# TYPE wait_seconds histogram",
        "# UNIT wait_seconds seconds",
        '# HELP wait_seconds With a \\"quote\\".',
        'wait_seconds_bucket{le="0.01"} 0',
        'wait_seconds_bucket{le="1.0"} 8 # {trace_id="KOO5S4vxi0o"} 0.67 1520879607.789',
        'wait_seconds_bucket{le="+Inf"} 10 1520879607.5 # {} 9.8',
        "wait_seconds_count 10",
        "wait_seconds_sum 15.5",
        "# TYPE hits counter",
        "hits_total 17",
        "hits_created 1520430000.5",
        "# TYPE build info",
        'build_info{v="1"} 1',
      ),
    );
    expect(format).toBe("openmetrics");
    expect([...families.values()].map(({ name, type, unit, samples }) => [name, type, unit, samples.length])).toEqual([
      ["wait_seconds", "histogram", "seconds", 5],
      ["hits", "counter", "", 2],
      ["build", "info", "", 1],
    ]);
    expect(families.get("wait_seconds")?.help).toBe('With a "quote".');
    expect(samples[1]?.exemplar).toMatchObject({ labels: { trace_id: "KOO5S4vxi0o" }, value: 0.67 });
    expect(samples[1]?.exemplar?.timestamp).toBeCloseTo(1520879607789);
    expect(samples[2]).toMatchObject({
      timestamp: 1520879607500,
      exemplar: { labels: {}, value: 9.8, timestamp: null },
    });
  });

  it("also ends without a line feed, or with a carriage return", () => {
    expect(parse("m 1\n# EOF").format).toBe("openmetrics");
    expect(parse("m 1\n# EOF\r\n").format).toBe("openmetrics");
    expect(parse("# EOF\n")).toMatchObject({ format: "openmetrics", samples: [] });
    expect(parse("m 1\n# EOF is not here\n").format).toBe("text");
  });

  it.each([
    ["no end", "m 1\n", "missing_eof"],
    ["an empty line", "m 1\n\n# EOF\n", "unexpected_text"],
    ["a comment", "# hello\n# EOF\n", "bad_metadata"],
    ["text behind its end", "# EOF\nm 1\n# EOF\n", "unexpected_text"],
    ["an exemplar without labels", "m_total 1 # 1\n# EOF\n", "bad_exemplar"],
    ["an exemplar without a value", 'm_total 1 # {a="b"}\n# EOF\n', "bad_exemplar"],
  ])("with %s is refused", (_, text, code) => {
    expect(faults(text, { format: "openmetrics" })[0]?.code).toBe(code);
  });
});

describe("limits", () => {
  it("hold for the size, the samples, the labels and the faults", () => {
    expect(faults("m 1\n", { maxLength: 3 })).toMatchObject([{ code: "exposition_too_large" }]);
    expect(faults("m 1\nm 2\nm 3\nm 4\n", { maxSamples: 2 })).toMatchObject([{ code: "too_many_samples", line: 3 }]);
    expect(faults('m{a="1",b="2",c="3"} 1', { maxLabels: 2 })).toMatchObject([{ code: "too_many_labels" }]);
    expect(faults('m{a="1",b="2",} 1', { maxLabels: 2 })).toEqual([]);
    expect(faults("?\n".repeat(100_000))).toHaveLength(20);
  });

  it("make hostile texts cheap", () => {
    for (const text of ['m{a="', "m{", "# TYPE ", "\\", '"', " ", "{", 'm{a="\\\\']) {
      expect(() => parseExposition(text.repeat(100_000))).not.toThrow();
      expect(() => parseExposition(`${text}\n`.repeat(100_000))).not.toThrow();
    }
    // A careless pattern for numbers would be busy with this one for minutes.
    expect(faults(`m ${"1".repeat(300_000)}x`)).toMatchObject([{ code: "bad_value" }]);
  });

  it("are no reason to throw, whatever the text", () => {
    const token = fc.constantFrom(
      "m",
      "{",
      "}",
      '"',
      "\\",
      ",",
      "=",
      " ",
      "\n",
      "1",
      "#",
      "# TYPE m counter",
      "# EOF",
      "é",
    );
    const soup = fc.oneof(
      fc.array(token, { maxLength: 40 }).map((tokens) => tokens.join("")),
      fc.string({ unit: "binary" }),
    );
    fc.assert(
      fc.property(soup, fc.boolean(), (text, lenient) => {
        for (const format of ["text", "openmetrics"] as const) {
          const parsed = parseExposition(text, { format, lenient });
          if ("faults" in parsed) expect(parsed.faults.length).toBeGreaterThan(0);
          else expect(parsed.samples.every((sample) => typeof sample.value === "number")).toBe(true);
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe("looking samples up", () => {
  const { samples } = parse('m{a="1",b="x"} 1\nm{a="2",b="x"} 2\nm{a="2"} 4\nn{a="2"} 8\n');

  it("goes by name and labels; a missing label has no value", () => {
    expect(findSamples(samples, "m").map((sample) => sample.value)).toEqual([1, 2, 4]);
    expect(findSamples(samples, "m", { a: "2", b: "" }).map((sample) => sample.value)).toEqual([4]);
    expect(sumSamples(samples, "m", { a: /^[12]$/, b: "x" })).toBe(3);
    expect(sumSamples(samples, "nothing")).toBe(0);
  });

  it("has one key for a series, however its labels are ordered or left empty", () => {
    expect(sampleKey("m", { b: 'x"', a: "1", c: "" })).toBe('m{a="1",b="x\\""}');
    expect(sampleKey("m", {})).toBe("m");
  });
});
