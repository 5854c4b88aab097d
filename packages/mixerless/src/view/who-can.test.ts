import { expect, it } from "vitest";
import { renderWhoCan, type WhoCanAnswer } from "./who-can.ts";

const PLACE = { object: "AuthorizationPolicy default/p", path: "spec.rules[1]", file: "p.yaml", line: 7 };
const RULE = { ...PLACE, who: [], what: [], when: [], widened: false, dryRun: false };
const PORT: WhoCanAnswer["ports"][number] = {
  ...{ port: 9080, protocol: "HTTP", mtls: { mode: "DISABLE" }, open: true, allow: [], deny: [] },
};

function lines(port: Partial<typeof PORT>, tokens: WhoCanAnswer["tokens"] = []): string[] {
  return renderWhoCan({ proxy: "b-v1.default", tokens, ports: [{ ...PORT, ...port }] }).split("\n");
}

it("says that a port is open", () => {
  expect(lines({})).toEqual(["b-v1.default port 9080 (HTTP), plaintext", "  Anyone may ask for anything.", ""]);
});

it("says that a port is closed", () => {
  expect(lines({ open: false })[1]).toBe("  Nobody: there are ALLOW policies and none lets anything in here.");
});

it("tells who, what and when, by which rule, and what is only tried", () => {
  const strict = {
    mode: "STRICT",
    object: "PeerAuthentication istio-system/default",
    path: "",
    file: "m.yaml",
    line: 2,
  };
  const rule = { ...RULE, who: ["principal a", "namespace n"], what: ["method GET"], when: ["x is y", "z is w"] };
  const port = {
    open: false,
    mtls: strict,
    allow: [rule],
    deny: [
      { ...RULE, widened: true },
      { ...RULE, dryRun: true },
    ],
  };
  expect(lines(port, [{ issuer: "https://a", ...PLACE, object: "RequestAuthentication default/t" }])).toEqual([
    "b-v1.default port 9080 (HTTP), mutual TLS only, by PeerAuthentication istio-system/default (m.yaml:2)",
    "  Allowed:",
    "    principal a; or namespace n: method GET, if x is y and z is w",
    "      spec.rules[1] of AuthorizationPolicy default/p (p.yaml:7)",
    "  But never:",
    "    anyone: anything",
    "      spec.rules[1] of AuthorizationPolicy default/p (p.yaml:7); more than is written, for this port cannot be asked the rest",
    "  On trial, which changes nothing:",
    "    anyone: anything",
    "      spec.rules[1] of AuthorizationPolicy default/p (p.yaml:7)",
    "",
    "Tokens of https://a are verified, by RequestAuthentication default/t (p.yaml:7).",
    "",
  ]);
});
