import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { before, test } from "node:test";
import { StructWriter } from "../../../packages/sdk/dist/index.js";
import { FakeHost } from "../../../packages/sdk/dist/testing/index.js";
import { compile } from "../src/compile.mjs";
import { here, repository } from "../src/extensions.mjs";
import { Random, randomPeer } from "../src/random-streams.mjs";
import { checkSubset } from "../src/subset.mjs";
import { wasmForm } from "../src/wasm-form.mjs";

const PROBE = "tools/extension-check/test/fixtures/probe.ts";
const CASES = 4000;

const forms = {};

before(async () => {
  assert.deepEqual(checkSubset([PROBE]), []);
  forms.wasm = wasmForm(compile({ name: "probe", entry: PROBE }));
  forms.inProcess = await inProcessForm();
});

/** The probe is no part of a package, so its types are removed here. */
async function inProcessForm() {
  const ts = createRequire(join(repository, "package.json"))("typescript");
  const source = readFileSync(join(repository, PROBE), "utf8");
  const sdk = join(repository, "packages/sdk/dist/index.js");
  const options = { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext, verbatimModuleSyntax: true };
  const { outputText } = ts.transpileModule(source, { compilerOptions: options });
  mkdirSync(join(here, "dist"), { recursive: true });
  const file = join(here, "dist/probe.mjs");
  writeFileSync(file, outputText.replace('"@mixerless/sdk"', JSON.stringify(sdk)));
  return (await import(file)).createRoot;
}

/** What both forms say to the same orders; they must agree. */
function agree(orders) {
  const [expected, actual] = [forms.inProcess, forms.wasm].map((createRoot) => {
    const host = new FakeHost({ filters: [{ createRoot }], attributes: {} });
    const states = orders.map(({ order, argument, attributes = {} }) => {
      const requestHeaders = [
        ["x-order", order],
        ["x-argument", argument],
      ];
      const stream = host.open({ attributes, requestHeaders });
      if (attributes.state) stream.stream.setState({ name: "state", slot: 0 }, attributes.state);
      return [stream.request(), stream.stream.state("state")];
    });
    return { logs: host.logs, states };
  });
  assert.deepEqual(actual, expected);
  return expected.logs;
}

/** Variations of a text: cut, doubled, changed. */
function vary(random, text) {
  let varied = text;
  for (let n = random.below(4); n > 0; n--) {
    const at = random.below(varied.length + 1);
    const sign = random.chance(50) ? String.fromCharCode(random.below(256)) : random.of([...'{}[]",:\\u0d8.eE+-1=AZ ']);
    varied = random.chance(30) ? varied.slice(0, at) : varied.slice(0, at) + sign + varied.slice(at + random.below(2));
  }
  return varied;
}

function fuzz(order, samples) {
  const random = new Random(order.length * 31337);
  const orders = [];
  for (let i = 0; i < CASES; i++) orders.push({ order, argument: vary(random, random.of(samples)) });
  return agree(orders);
}

const differentAnswers = (logs) => new Set(logs).size;

test("JSON", () => {
  const samples = [
    '{"a":[1,-2.5e+3,true,false,null],"b":{"c":"\\u00e9\\ud83d\\ude00\\n"}}',
    '["12","-7","true",1e9]',
    '"\\ud800\\u0041"',
  ];
  assert.ok(differentAnswers(fuzz("json", samples)) > 100);
});

test("base64", () => {
  const samples = ["AAECAwQFBgcICQ==", "////", "QUJDREU=", "gICAgP8=", ""];
  assert.ok(differentAnswers(fuzz("base64", samples)) > 100);
});

test("Struct", () => {
  const random = new Random(5);
  const nested = new StructWriter();
  nested.addStruct(
    "a",
    ["b", "c", "d"].reduce((inner, name) => {
      const outer = new StructWriter();
      outer.addText("text", name);
      outer.addStruct(name, inner);
      return outer;
    }, new StructWriter()),
  );
  const samples = [nested.finish(), ...Array.from({ length: 20 }, () => randomPeer(random))];
  assert.ok(differentAnswers(fuzz("struct", samples)) > 100);
});

test("UTF-8", () => {
  assert.ok(
    differentAnswers(
      fuzz("utf8", ["\u00f0\u0090\u0080\u0080", "\u00e2\u0082\u00ac\u00c3\u00a9", "\u00ed\u0080\u0080"]),
    ) === 3,
  );
});

test("attribute paths and literals", () => {
  assert.ok(differentAnswers(fuzz("path", ["a.b['c'].d", "'text'", '"a" ', 'a[0]["x"]'])) > 100);
});

test("numbers, also beyond 32 bits, negative, absent and boolean", () => {
  const numbers = [0, 1, -1, 4095, -4097, 2 ** 31, 2 ** 33 + 1, -(2 ** 40), 2 ** 52, undefined];
  const orders = numbers.flatMap((number) =>
    [true, false, 3, undefined].map((flag) => ({
      order: "number",
      argument: "x",
      attributes: { number, list: [0, { flag }] },
    })),
  );
  assert.ok(differentAnswers(agree(orders)) > 20);
});

test("filter state: the first writer wins", () => {
  const logs = agree([
    { order: "state", argument: "first" },
    { order: "state", argument: "", attributes: { state: "early" } },
  ]);
  assert.deepEqual(
    logs.filter((line) => line.includes("state")),
    ["2: state: absent <first>", "2: state: <early> <early>"],
  );
});

test("headers", () => {
  const logs = agree(["", "x", "y".repeat(9000)].map((argument) => ({ order: "headers", argument })));
  assert.deepEqual(
    logs.filter((line) => line.includes("headers")),
    ["2: headers: <fixed\u00ff> 0 -1", "2: headers: <fixed\u00ff> 1 -1", "2: headers: <fixed\u00ff> 9000 -1"],
  );
});

test("tuples: what was seen is found, values are kept apart, the table forgets alike", () => {
  const random = new Random(11);
  const texts = [undefined, "", "a", "ab", "abc", "abcd", "abcde", "\0", "\0\0\0\0", "\u00ff", "z".repeat(5000)];
  const orders = Array.from({ length: 3000 }, () => ({
    order: "tuple",
    argument: random.of(texts.slice(1)),
    attributes: {
      text: random.of(texts),
      number: random.of([0, 1, 2 ** 40]),
      state: random.of([undefined, "s", "q".repeat(9000)]),
    },
  }));
  assert.ok(differentAnswers(agree(orders)) > 300);
});
