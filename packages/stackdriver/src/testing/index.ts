export { FakeCloud, type ReceivedEntry, type ReceivedSeries } from "./fake-cloud.ts";
export { FakeCloudEndpoint, type FakeCloudOptions } from "./fake-cloud-endpoint.ts";
export { FakeTokenEndpoint, type TokenRequest } from "./fake-token-endpoint.ts";
export { LOOPBACK_CERTIFICATE } from "./loopback-certificate.ts";
