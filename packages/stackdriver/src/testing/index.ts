export { FakeCloud, type ReceivedEntry, type ReceivedSeries } from "./fake-cloud.ts";
export { FakeCloudEndpoint, type FakeCloudOptions } from "./fake-cloud-endpoint.ts";
