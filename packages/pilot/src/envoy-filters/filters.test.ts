// Which filter ends up where [control-plane §1.6, §1.7, §1.11].
import type { JsonObject } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import {
  chainsAfter,
  filter,
  listenerFiltersAfter,
  MANAGER,
  manager,
  type ShortPatch,
  tcpFilter,
  Witness,
} from "./testing/patched.ts";

const ROUTER = "envoy.filters.http.router";
const inManager = (subFilter?: string): JsonObject => ({
  listener: {
    filterChain: { filter: { name: MANAGER, ...(subFilter === undefined ? {} : { subFilter: { name: subFilter } }) } },
  },
});
const inChain = (name?: string): JsonObject => ({
  listener: name === undefined ? {} : { filterChain: { filter: { name } } },
});
const onListener = (name?: string): JsonObject => ({ listener: name === undefined ? {} : { listenerFilter: name } });

const withValue = (name: string | undefined, make: (name: string) => JsonObject): [value?: JsonObject] =>
  name === undefined ? [] : [make(name)];
const http = (operation: string, anchor: string | undefined, name?: string): ShortPatch => [
  "HTTP_FILTER",
  inManager(anchor),
  operation,
  ...withValue(name, filter),
];
const network = (operation: string, anchor: string | undefined, name?: string): ShortPatch => [
  "NETWORK_FILTER",
  inChain(anchor),
  operation,
  ...withValue(name, tcpFilter),
];

describe("HTTP filters", () => {
  test.each<[string, string[], ShortPatch[], string[]]>([
    [
      "INSERT_BEFORE the router, in patch order",
      ["a"],
      [http("INSERT_BEFORE", ROUTER, "x"), http("INSERT_BEFORE", ROUTER, "y")],
      ["a", "x", "y", ROUTER],
    ],
    [
      "INSERT_BEFORE without a subFilter: the front",
      ["a"],
      [http("INSERT_BEFORE", undefined, "x")],
      ["x", "a", ROUTER],
    ],
    ["INSERT_AFTER without a subFilter: the end", ["a"], [http("INSERT_AFTER", undefined, "x")], ["a", ROUTER, "x"]],
    [
      "INSERT_AFTER one anchor reverses",
      ["a"],
      [http("INSERT_AFTER", "a", "x"), http("INSERT_AFTER", "a", "y")],
      ["a", "y", "x", ROUTER],
    ],
    [
      "INSERT_FIRST reverses, and needs no hit",
      ["a"],
      [http("INSERT_FIRST", "none", "x"), http("INSERT_FIRST", undefined, "y")],
      ["y", "x", "a", ROUTER],
    ],
    ["INSERT_BEFORE a filter that is not there", ["a"], [http("INSERT_BEFORE", "none", "x")], ["a", ROUTER]],
    ["ADD appends behind the router", ["a"], [http("ADD", undefined, "x")], ["a", ROUTER, "x"]],
    ["REMOVE, then ADD", ["x", "a"], [http("REMOVE", "x"), http("ADD", undefined, "x")], ["a", ROUTER, "x"]],
    ["ADD, then REMOVE", ["a"], [http("ADD", undefined, "x"), http("REMOVE", "x")], ["a", ROUTER]],
    ["REMOVE takes every hit", ["x", "a", "x"], [http("REMOVE", "x")], ["a", ROUTER]],
    ["REMOVE without a subFilter", ["a"], [http("REMOVE", undefined)], ["a", ROUTER]],
    ["REPLACE takes the first hit only", ["1", "2", "1"], [http("REPLACE", "1", "x")], ["x", "2", "1", ROUTER]],
    ["REPLACE of a filter that is not there", ["1"], [http("REPLACE", "none", "x")], ["1", ROUTER]],
    ["REPLACE without a subFilter", ["1"], [http("REPLACE", undefined, "x")], ["1", ROUTER]],
    ["INSERT_BEFORE the first hit", ["1", "2", "1"], [http("INSERT_BEFORE", "1", "x")], ["x", "1", "2", "1", ROUTER]],
    ["INSERT_AFTER the first hit", ["1", "2", "1"], [http("INSERT_AFTER", "1", "x")], ["1", "x", "2", "1", ROUTER]],
    ["INSERT_AFTER the last", ["1"], [http("INSERT_AFTER", ROUTER, "x")], ["1", ROUTER, "x"]],
    [
      "an inserted filter is seen by later patches",
      ["a"],
      [http("INSERT_FIRST", undefined, "x"), http("INSERT_AFTER", "x", "y")],
      ["x", "y", "a", ROUTER],
    ],
    ["a deprecated name in the match", ["a"], [http("INSERT_BEFORE", "envoy.router", "x")], ["a", "x", ROUTER]],
  ])("%s", (_, before, patches, after) => {
    const fields = { filter_chains: [{ filters: [manager([...before, ROUTER])] }] };
    expect(chainsAfter(fields, patches)).toEqual([[after]]);
  });

  test("a MERGE that stands before an insertion reaches what is inserted", () => {
    const merge: ShortPatch = ["HTTP_FILTER", inManager("x"), "MERGE", { name: "renamed" }];
    const fields = { filter_chains: [{ filters: [manager([ROUTER])] }] };
    expect(chainsAfter(fields, [merge, http("INSERT_FIRST", undefined, "x")])).toEqual([[["renamed", ROUTER]]]);
  });
});

describe("network filters", () => {
  test.each<[string, string[], ShortPatch[], string[]]>([
    [
      "INSERT_BEFORE and INSERT_FIRST and REMOVE",
      ["filter1", "filter2"],
      [network("INSERT_BEFORE", "filter1", "A"), network("INSERT_FIRST", undefined, "B"), network("REMOVE", "filter2")],
      ["B", "A", "filter1"],
    ],
    ["INSERT_BEFORE without a filter: the front", ["1"], [network("INSERT_BEFORE", undefined, "x")], ["x", "1"]],
    ["INSERT_AFTER without a filter: the end", ["1"], [network("INSERT_AFTER", undefined, "x")], ["1", "x"]],
    ["ADD", ["1"], [network("ADD", undefined, "x")], ["1", "x"]],
    ["REMOVE takes every hit", ["1", "2", "1"], [network("REMOVE", "1")], ["2"]],
    ["REPLACE the first hit", ["1", "2", "1"], [network("REPLACE", "1", "x")], ["x", "2", "1"]],
    ["REPLACE what is not there", ["1"], [network("REPLACE", "none", "x")], ["1"]],
  ])("%s", (_, before, patches, after) => {
    expect(chainsAfter({ filter_chains: [{ filters: before.map(tcpFilter) }] }, patches)).toEqual([after]);
  });

  test("the default chain is patched like the others", () => {
    const fields = {
      filter_chains: [{ filters: [tcpFilter("a")] }],
      default_filter_chain: { filters: [tcpFilter("a")] },
    };
    expect(chainsAfter(fields, [network("REPLACE", "a", "x")])).toEqual({ chains: [["x"]], last: ["x"] });
  });

  test("a chain that loses its last filter goes", () => {
    const fields = { filter_chains: [{ filters: [tcpFilter("a")] }, { filters: [tcpFilter("b")] }] };
    expect(chainsAfter(fields, [network("REMOVE", "a")])).toEqual([["b"]]);
  });
});

describe("listener filters", () => {
  const change = (operation: string, anchor: string | undefined, name?: string): ShortPatch => [
    "LISTENER_FILTER",
    onListener(anchor),
    operation,
    ...withValue(name, (own) => filter(own, PROXY_PROTOCOL)),
  ];
  const PROXY_PROTOCOL = "envoy.extensions.filters.listener.proxy_protocol.v3.ProxyProtocol";

  test.each<[string, ShortPatch[], string[]]>([
    ["INSERT_BEFORE", [change("INSERT_BEFORE", "proxy_protocol", "x")], ["x", "proxy_protocol", "other"]],
    ["INSERT_AFTER", [change("INSERT_AFTER", "proxy_protocol", "x")], ["proxy_protocol", "x", "other"]],
    ["INSERT_FIRST", [change("INSERT_FIRST", undefined, "x")], ["x", "proxy_protocol", "other"]],
    ["ADD", [change("ADD", undefined, "x")], ["proxy_protocol", "other", "x"]],
    ["REPLACE", [change("REPLACE", "proxy_protocol", "x")], ["x", "other"]],
    ["REMOVE", [change("REMOVE", "proxy_protocol")], ["other"]],
    ["REMOVE without a match", [change("REMOVE", undefined)], ["proxy_protocol", "other"]],
    ["a MERGE does not rename", [change("MERGE", "proxy_protocol", "x")], ["proxy_protocol", "other"]],
  ])("%s", (_, patches, after) => {
    const fields = {
      filter_chains: [{ filters: [tcpFilter("a")] }],
      listener_filters: [filter("proxy_protocol", PROXY_PROTOCOL), filter("other", PROXY_PROTOCOL)],
    };
    expect(listenerFiltersAfter(fields, patches)).toEqual(after);
  });
});

test("a filter that is not there is told with those that are", () => {
  const log = new Witness();
  chainsAfter({ filter_chains: [{ filters: [manager(["a", ROUTER])] }] }, [http("INSERT_BEFORE", "b", "x")], log);
  expect(log.hits).toEqual([]);
  expect(log.misses).toEqual([{ depth: 4, text: `listener l has no HTTP filter b; it has a, ${ROUTER}` }]);
});
