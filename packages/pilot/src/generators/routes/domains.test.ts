import { describe, expect, it } from "vitest";
import { domainsOf } from "./domains.ts";

/** Names that a client may use for a host, by where the client is [control-plane §4.11]. */
describe("the domains of", () => {
  it.each([
    ["foo.local.campus.net", "local.campus.net", ["foo"]],
    ["foo.local.campus.net", "remote.campus.net", ["foo.local", "foo.local.campus"]],
    ["foo.local.campus.net", "example.com", []],
    ["echo.default.svc.cluster.local", "default.svc.cluster.local", ["echo", "echo.default.svc", "echo.default"]],
    ["echo.default.svc.cluster.local", "mesh.svc.cluster.local", ["echo.default", "echo.default.svc"]],
    ["foo.default.svc.bar.baz", "default.svc.cluster.local", []],
    ["aaa.example.local", "default.svc.cluster.local", []],
  ])("%s for a client in %s: full name, with a dot, and %j", (host, client, short) => {
    expect(domainsOf(host, client)).toEqual([host, `${host}.`, ...short]);
  });

  it.each([
    ["1.2.3.4", "1.2.3.4"],
    ["2406:3003:2064:35b8::1", "[2406:3003:2064:35b8::1]"],
  ])("the address %s are itself, without a dot", (host, domain) => {
    expect(domainsOf(host, "default.svc.cluster.local")).toEqual([domain]);
  });
});
