import { expect, test } from "vitest";
import { parseProtocol, selectProtocol } from "./select-protocol.ts";

const select = (name: string, appProtocol = "", port = 80, transport = "TCP") =>
  selectProtocol({ name, appProtocol, port, transport });

test.each([
  ["http", "HTTP"],
  ["http-web", "HTTP"],
  ["HTTP2-x", "HTTP2"],
  ["grpc", "GRPC"],
  ["grpc-web", "GRPC-Web"],
  ["grpc-web-x", "GRPC-Web"],
  ["grpc-webx", "GRPC"],
  ["https-x", "HTTPS"],
  ["tls", "TLS"],
  ["tcp-x", "TCP"],
  ["mongo", "Mongo"],
  ["redis-1", "Redis"],
  ["mysql", "MySQL"],
  ["udp-x", "UDP"],
  ["web", "auto"],
  ["httpx", "auto"],
  ["", "auto"],
  ["constructor", "auto"],
])("the port name %j means %s", (name, protocol) => expect(select(name)).toBe(protocol));

test.each([
  ["HTTP2", "HTTP2"],
  ["kubernetes.io/h2c", "HTTP2"],
  ["kubernetes.io/ws", "HTTP"],
  ["kubernetes.io/wss", "HTTPS"],
])("appProtocol %s goes before the name", (appProtocol, protocol) => expect(select("tcp", appProtocol)).toBe(protocol));

test("a prefixed appProtocol of somebody else leaves it to the name", () => {
  expect(select("grpc", "example.com/custom")).toBe("GRPC");
});

test("an unknown appProtocol is detected", () => expect(select("http", "custom")).toBe("auto"));

test.each([25, 53, 3306, 27017])("port %i without a telling name is TCP", (port) => {
  expect(select("web", "", port)).toBe("TCP");
  expect(select("http", "", port)).toBe("HTTP");
});

test("UDP transport is UDP whatever the name", () => expect(select("http", "http", 80, "UDP")).toBe("UDP"));

test.each([
  ["HTTP", "HTTP"],
  ["http2", "HTTP2"],
  ["GRPC-WEB", "GRPC-Web"],
  ["HTTP_PROXY", "HTTP_PROXY"],
  ["http-web", "auto"],
  ["", "auto"],
])("protocol %j of a ServiceEntry, Gateway or Sidecar is %s", (text, protocol) => {
  expect(parseProtocol(text)).toBe(protocol);
});
