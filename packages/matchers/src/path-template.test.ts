import { describe, expect, it } from "vitest";
import type { MatcherFault } from "./fault.ts";
import { compilePathTemplate } from "./path-template.ts";

function compile(template: string) {
  const faults: MatcherFault[] = [];
  const test = compilePathTemplate(template, "t", faults);
  return { test, faults };
}

describe("a path template", () => {
  it.each([
    ["/a/*", ["/a/b", "/a/b.c"], ["/a", "/a/", "/a/b/c", "/b/c"]],
    ["/{a}/x/{b=*}", ["/1/x/2"], ["/1/y/2", "/1/x", "//x/2"]],
    ["/a/**", ["/a/", "/a/b", "/a/b/c"], ["/a", "/ab"]],
    ["/{all=**}", ["/", "/a/b"], []],
    ["/a/**/z", ["/a/b/z", "/a/b/c/z"], ["/a/z", "/a/b/zz"]],
    [
      "/videos/*/*/*.m4s",
      ["/videos/1/hls/1080p_1.m4s"],
      ["/videos/1/hls/.m4s", "/videos/1/2/3/4.m4s", "/videos/1/2/3.mp4"],
    ],
    ["/**.mpd", ["/a.mpd", "/content/1/dash/manifest.mpd", "/.mpd"], ["/a.mpd/b", "/a.mp"]],
    ["/v*/x", ["/v1/x", "/v12/x"], ["/v/x", "/w1/x", "/v1/y/x"]],
    ["/a*b*c", ["/a1b2c", "/abbbc", "/a-b-b-c"], ["/abc", "/a1bc", "/ab2c", "/a1b2"]],
    ["/x-**", ["/x-", "/x-1/2"], ["/x", "/y-1"]],
    ["/{name=v*}/{file=**.json}", ["/v1/a/b.json"], ["/1/a.json", "/v1/a.js"]],
    ["/a/*", ["/a/%20"], ["/a/\u00e9", "/a/b c", '/a/"']],
  ] as const)("%s takes what it says", (template, taken, refused) => {
    const { test, faults } = compile(template);
    expect(faults).toEqual([]);
    expect(taken.filter((path) => !test(path))).toEqual([]);
    expect(refused.filter((path) => test(path))).toEqual([]);
  });

  it.each(["a", "/{", "/{1}", "/{a}}", "/***", "/**/*", "/**/**", "/{a=**}/{b}"])("%s is refused", (template) => {
    const { test, faults } = compile(template);
    expect(faults).toHaveLength(1);
    expect(test("/a")).toBe(false);
  });

  it("takes no longer for a path that almost fits than its length asks for", () => {
    const { test } = compile(`/${"*a".repeat(20)}`);
    const path = `/${"a".repeat(60_000)}b`;
    let steps = 0;
    for (; steps < 100; steps++) expect(test(path)).toBe(false);
    expect(steps).toBe(100);
  });
});
