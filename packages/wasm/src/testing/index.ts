export { assemble } from "./assemble.ts";
export { FakeHeaders } from "./fake-headers.ts";
export { type FakeGrpcStream, type FakeHttpCall, FakeServices } from "./fake-services.ts";
export { FakeHttpStream, FakeTcpStream, GET } from "./fake-streams.ts";
export { HARMLESS_MODULE, type HostileModule, hostileModules, UNLOADABLE_MODULES } from "./hostile-modules.ts";
export { moduleText } from "./modules.ts";
export { TestHost } from "./test-host.ts";
