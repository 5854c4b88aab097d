export { type Attribute, attributeAt } from "./attributes.ts";
export { FakeExchange, type FakeFilter, FakeHost, type FakeHostOptions } from "./fake-host.ts";
export { FakeMetrics, type FakeSeries } from "./fake-metrics.ts";
export { type Evaluator, FakeRoot, type FakeRootOptions } from "./fake-root.ts";
export { type FakeHeaders, FakeStream, type FakeStreamOptions } from "./fake-stream.ts";
