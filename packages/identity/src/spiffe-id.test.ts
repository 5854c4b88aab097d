import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatSpiffeId, parseSpiffeId } from "./spiffe-id.ts";

describe("a SPIFFE identity", () => {
  it("is read as it is written", () => {
    expect(parseSpiffeId("spiffe://cluster.local/ns/default/sa/bookinfo-reviews")).toEqual({
      trustDomain: "cluster.local",
      namespace: "default",
      serviceAccount: "bookinfo-reviews",
    });
  });

  it.each([
    "",
    "spiffe://",
    "spiffe:///ns/a/sa/b",
    "http://td/ns/a/sa/b",
    "SPIFFE://td/ns/a/sa/b",
    "spiffe://TD/ns/a/sa/b",
    "spiffe://td:8080/ns/a/sa/b",
    "spiffe://user@td/ns/a/sa/b",
    "spiffe://td/ns//sa/b",
    "spiffe://td/ns/a/sa/",
    "spiffe://td/ns/../sa/b",
    "spiffe://td/ns/a/sa/.",
    "spiffe://td/ns/a/sa/b/",
    "spiffe://td/ns/a/sa/b/c",
    "spiffe://td/ns/a/sa/b?q",
    "spiffe://td/ns/a/sa/b#f",
    "spiffe://td/ns/a%2fb/sa/b",
    "spiffe://td/ns/a/sa/b\n",
    "spiffe://td/ns/a/sa/b\0",
    "spiffe://td/sa/b/ns/a",
    "spiffe://td/ns/a/sa/é",
    `spiffe://td/ns/a/sa/${"b".repeat(2048)}`,
  ])("is not %j", (text) => {
    expect(parseSpiffeId(text)).toBeNull();
  });

  it("comes back from any text that is one", () => {
    const part = fc.stringMatching(/^[A-Za-z0-9_-][A-Za-z0-9._-]{0,20}$/);
    const domain = fc.stringMatching(/^[a-z0-9._-]{1,30}$/);
    fc.assert(
      fc.property(domain, part, part, (trustDomain, namespace, serviceAccount) => {
        const id = { trustDomain, namespace, serviceAccount };
        expect(parseSpiffeId(formatSpiffeId(id))).toEqual(id);
      }),
    );
  });
});
