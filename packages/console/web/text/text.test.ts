import { describe, expect, it } from "vitest";
import { en } from "./en.ts";
import { zh } from "./zh.ts";

const placeholders = (text: string) => (text.match(/\{\w+\}/g) ?? []).sort();

describe("the page's texts", () => {
  it("name the same values in both languages", () => {
    for (const [key, text] of Object.entries(en))
      expect(placeholders(zh[key as keyof typeof en]), key).toEqual(placeholders(text));
  });

  it("have no key that only one language knows", () => {
    expect(Object.keys(zh).sort()).toEqual(Object.keys(en).sort());
  });
});
