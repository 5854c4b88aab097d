import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const MODULE = fileURLToPath(new URL("../dist/young-generation.js", import.meta.url));

/** Bytes of the young generation, as V8 has them, after half a gigabyte of which some survives each collection. */
function nurseryAfterWork(command: string): number {
  const program = `
    const { keepYoungGenerationSmall } = await import(${JSON.stringify(MODULE)});
    keepYoungGenerationSmall(${JSON.stringify(command)});
    const { getHeapSpaceStatistics } = await import("node:v8");
    const kept = Array.from({ length: 4000 });
    for (let i = 0; i < 4e6; i++) kept[i % kept.length] = { i, text: "x".repeat(1 + (i % 7)), more: [i, i, i] };
    console.log(getHeapSpaceStatistics().find(({ space_name }) => space_name === "new_space").space_size);
  `;
  return Number(execFileSync(process.execPath, ["--input-type=module", "-e", program], { encoding: "utf8" }));
}

describe("the young generation", () => {
  it("stays small where requests are forwarded, and is V8's own affair elsewhere", () => {
    expect(nurseryAfterWork("sidecar")).toBeLessThanOrEqual(4 * 1024 * 1024);
    expect(nurseryAfterWork("pilot")).toBeGreaterThan(8 * 1024 * 1024);
  });
});
