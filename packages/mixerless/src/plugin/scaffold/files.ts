import { TOOL_VERSIONS } from "../author-tools.ts";

/** What a new plugin is made of. */
export interface ScaffoldChoices {
  /** Lower case, digits and dashes. */
  readonly name: string;
  /** The folder of the SDK. */
  readonly sdk: string;
}

/** The files of a new plugin: path and content. */
export function scaffoldFiles(choices: ScaffoldChoices): readonly (readonly [path: string, content: string])[] {
  return [
    ["package.json", packageJson(choices)],
    ["tsconfig.json", TSCONFIG],
    [".gitignore", "node_modules/\nbuild/\n"],
    ["plugin-config.json", `{ "header": "x-${choices.name}", "value": "hello" }\n`],
    ["src/plugin.ts", source(choices.name)],
    ["test/plugin.test.ts", test(choices.name)],
    ["README.md", readme(choices.name)],
  ];
}

// The SDK belongs to the program that compiles the plugin, so it is taken from there: one version for both forms.
function packageJson({ name, sdk }: ScaffoldChoices): string {
  const manifest = {
    ...{ name, version: "0.1.0", private: true, type: "module" },
    scripts: { build: "mixerless plugin build", dev: "mixerless plugin dev", test: "vitest run" },
    devDependencies: { "@mixerless/sdk": `file:${sdk}`, ...TOOL_VERSIONS },
  };
  return `${JSON.stringify(manifest, null, 2)}\n`;
}

const TSCONFIG = `{
  "compilerOptions": {
    "target": "es2023",
    "module": "nodenext",
    "types": [],
    "strict": true,
    "noUncheckedIndexedAccess": true,
    "noImplicitOverride": true,
    "verbatimModuleSyntax": true,
    "allowImportingTsExtensions": true,
    "skipLibCheck": true,
    "noEmit": true
  },
  "include": ["src", "test"]
}
`;

/** `add-header` → `AddHeader`. */
function className(name: string): string {
  const words = name.split("-").filter((word) => word.length > 0);
  const text = words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join("");
  return /^\d/.test(text) ? `Plugin${text}` : text;
}

/** `add-header` → `add_header_responses_total`. */
function metricName(name: string): string {
  const base = name.replaceAll("-", "_");
  return `${/^\d/.test(base) ? "plugin_" : ""}${base}_responses_total`;
}

function source(name: string): string {
  const label = className(name);
  return `import {
  CONTINUE,
  CounterHandle,
  HeaderName,
  HeaderValue,
  JSON_OBJECT,
  JsonReader,
  LOG_ERROR,
  Property,
  RESPONSE_HEADERS,
  RootContext,
  RootHandle,
  StreamContext,
  StreamHandle,
  TupleTable,
  toInt,
} from "@mixerless/sdk";

/** One configuration of the plugin. What streams need is made here, once. */
class ${label}Root extends RootContext {
  readonly code: Property = new Property(["response", "code"]);
  readonly responses: TupleTable<CounterHandle> = new TupleTable<CounterHandle>(100);
  header: HeaderName = new HeaderName("x-${name}");
  value: HeaderValue = new HeaderValue("hello");

  /** \`{"header": "x-greeting", "value": "good day"}\`; what is left out keeps its default. */
  override onConfigure(configuration: string): boolean {
    if (configuration.length === 0) return true;
    const reader = new JsonReader(configuration);
    const json = reader.parse();
    if (json === null || json.kind !== JSON_OBJECT) {
      this.log(LOG_ERROR, \`the configuration is not a JSON object: \${reader.problem}\`);
      return false;
    }
    const header = json.get("header");
    if (header !== null) this.header = new HeaderName(header.asText("x-${name}"));
    const value = json.get("value");
    if (value !== null) this.value = new HeaderValue(value.asText("hello"));
    return true;
  }

  override createStream(host: StreamHandle): StreamContext {
    return new ${label}Stream(host, this);
  }

  /** Counts a response by its code. A series is made once for each code, not for each response. */
  count(stream: StreamContext): void {
    const code: i32 = toInt(stream.getNumber(this.code, 0));
    this.responses.begin();
    this.responses.addNumber(code);
    let counter = this.responses.find();
    if (counter === null) {
      counter = this.counter("${metricName(name)}", ["code"], [code.toString()]);
      this.responses.put(counter);
    }
    counter.add(1);
  }
}

/** One request and its response. */
class ${label}Stream extends StreamContext {
  private readonly root: ${label}Root;

  constructor(host: StreamHandle, root: ${label}Root) {
    super(host);
    this.root = root;
  }

  override onResponseHeaders(_count: i32, _end: boolean): i32 {
    this.replaceHeader(RESPONSE_HEADERS, this.root.header, this.root.value);
    return CONTINUE;
  }

  override onLog(): void {
    this.root.count(this);
  }
}

/** The plugin begins here, in both forms. */
export function createRoot(host: RootHandle): RootContext {
  return new ${label}Root(host);
}
`;
}

function test(name: string): string {
  return `import { FakeHost } from "@mixerless/sdk/testing";
import { describe, expect, it } from "vitest";
import { createRoot } from "../src/plugin.ts";

/** A proxy without a network, under virtual time, that runs the plugin with this configuration. */
function hostWith(configuration?: unknown): FakeHost {
  return new FakeHost({ filters: [{ createRoot, configuration }], attributes: {} });
}

describe("${name}", () => {
  it("adds its header to the response", () => {
    const exchange = hostWith().open({ requestHeaders: [[":path", "/"]] });
    exchange.request();
    expect(exchange.response([[":status", "200"]])).toEqual([
      [":status", "200"],
      ["x-${name}", "hello"],
    ]);
  });

  it("takes name and value from its configuration", () => {
    const exchange = hostWith({ header: "x-greeting", value: "good day" }).open();
    exchange.request();
    expect(exchange.response()).toEqual([["x-greeting", "good day"]]);
  });

  it("counts responses by their code", () => {
    const host = hostWith();
    for (const code of [200, 200, 503]) host.open().end({ response: { code } });
    expect(host.metrics.lines()).toEqual([
      '${metricName(name)}{code="200"} 2',
      '${metricName(name)}{code="503"} 1',
    ]);
  });

  it("refuses a configuration that is no object", () => {
    const host = hostWith("[1]");
    expect(host.accepted).toEqual([false]);
    expect(host.logs.join()).toContain("not a JSON object");
  });
});
`;
}

function readme(name: string): string {
  return `# ${name}

A plugin for Mixerless and for every proxy that runs Proxy-Wasm modules. One source, two forms: in the proxy's own
process, and as a Wasm module.

| | |
|---|---|
| \`mixerless plugin test\` | the tests, on both forms |
| \`mixerless plugin build\` | \`build/${name}.wasm\` |
| \`mixerless plugin dev\` | a demo that runs the plugin and takes every change that is saved |

\`src/plugin.ts\` is compiled by TypeScript and by AssemblyScript. What both understand, and what else there is to know,
is in the guide for plugin authors.
`;
}
