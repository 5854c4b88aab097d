import { create, type MessageInitShape } from "@bufbuild/protobuf";
import {
  FilterChainMatch_ConnectionSourceType,
  FilterChainMatchSchema,
} from "@mixerless/wire/envoy/config/listener/v3/listener_components";
import { describe, expect, it } from "vitest";
import type { ConfigFault } from "../network/config-fault.ts";
import { chooseChain, compileMatch, type MatchFacts } from "./filter-chain-match.ts";

const FACTS: MatchFacts = {
  destinationIp: "10.0.0.1",
  destinationPort: 80,
  serverName: null,
  transportProtocol: "raw_buffer",
  applicationProtocols: [],
  sourceIp: "10.9.9.9",
  sourcePort: 5000,
};

function chosen(
  matches: Record<string, MessageInitShape<typeof FilterChainMatchSchema>>,
  facts: Partial<MatchFacts>,
): string | null {
  const chains = Object.entries(matches).map(([name, match]) => ({
    name,
    match: compileMatch(create(FilterChainMatchSchema, match), []),
  }));
  return chooseChain(chains, { ...FACTS, ...facts })?.name ?? null;
}

const range = (addressPrefix: string, prefixLen: number) => ({ addressPrefix, prefixLen });

describe("filter chain match", () => {
  it("prefers a chain for the port to one for any port", () => {
    const matches = { any: {}, http: { destinationPort: 80 } };
    expect(chosen(matches, {})).toBe("http");
    expect(chosen(matches, { destinationPort: 81 })).toBe("any");
  });

  it("prefers the longest address range", () => {
    const matches = {
      wide: { prefixRanges: [range("10.0.0.0", 8)] },
      narrow: { prefixRanges: [range("10.0.0.0", 24)] },
      v6: { prefixRanges: [range("fd00::", 8)] },
    };
    expect(chosen(matches, {})).toBe("narrow");
    expect(chosen(matches, { destinationIp: "10.1.0.1" })).toBe("wide");
    expect(chosen(matches, { destinationIp: "fd00::1" })).toBe("v6");
    expect(chosen(matches, { destinationIp: "192.168.0.1" })).toBeNull();
  });

  it("prefers the exact server name, then the longest wildcard", () => {
    const matches = {
      exact: { serverNames: ["a.b.com"] },
      near: { serverNames: ["*.b.com"] },
      far: { serverNames: ["*.com"] },
      none: {},
    };
    expect(chosen(matches, { serverName: "a.b.com" })).toBe("exact");
    expect(chosen(matches, { serverName: "x.b.com" })).toBe("near");
    expect(chosen(matches, { serverName: "x.com" })).toBe("far");
    expect(chosen(matches, { serverName: null })).toBe("none");
  });

  it("never goes back to a wider chain once an earlier criterion has decided", () => {
    const matches = {
      port: { destinationPort: 80, transportProtocol: "tls" },
      plain: { transportProtocol: "raw_buffer" },
    };
    expect(chosen(matches, {})).toBeNull();
  });

  it("tells connections of this machine from others", () => {
    const { SAME_IP_OR_LOOPBACK, EXTERNAL } = FilterChainMatch_ConnectionSourceType;
    const matches = { local: { sourceType: SAME_IP_OR_LOOPBACK }, external: { sourceType: EXTERNAL } };
    expect(chosen(matches, { sourceIp: "127.0.0.1" })).toBe("local");
    expect(chosen(matches, { sourceIp: "10.0.0.1" })).toBe("local");
    expect(chosen(matches, {})).toBe("external");
  });

  it("reports what is no address range and no server name", () => {
    const faults: ConfigFault[] = [];
    compileMatch(create(FilterChainMatchSchema, { prefixRanges: [range("ten", 8)], serverNames: ["a.*.com"] }), faults);
    expect(faults.map((fault) => fault.path)).toEqual([
      "filterChainMatch.prefixRanges[0]",
      "filterChainMatch.serverNames[0]",
    ]);
  });
});
