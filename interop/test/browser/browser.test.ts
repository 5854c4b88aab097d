import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { byEdge } from "../../../packages/mixerless/test/edge-counts.ts";
import { RunningDemo } from "../../../packages/mixerless/test/running-demo.ts";
import { findProgram, titled } from "../peers.ts";

const program = findProgram("chromium");
const without = [program === null && "no chromium, npm run interop:setup installs it"];
const FLAGS = [
  ...["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"],
  ...["--disable-background-networking", "--disable-component-update", "--disable-sync", "--window-size=1200,900"],
];

describe.skipIf(without.some(Boolean))(titled("a browser", without), () => {
  let demo: RunningDemo;
  let folder: string;

  beforeAll(async () => {
    demo = await RunningDemo.start("--no-traffic", "--reviews", "v3");
    folder = await mkdtemp(join(tmpdir(), "mixerless-browser-"));
  });

  afterAll(async () => {
    await demo?.stop();
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  });

  async function browse(...flags: string[]): Promise<string> {
    const profile = await mkdtemp(join(folder, "profile-"));
    const page = `${demo.summary.ingress}/productpage`;
    const { stdout } = await promisify(execFile)(program ?? "", [
      ...FLAGS,
      `--user-data-dir=${profile}`,
      ...flags,
      page,
    ]);
    return stdout;
  }

  it("renders the product page through the mesh, with details, reviews and their red stars", async () => {
    let page = "";
    const grown = await demo.growth("istio_requests_total", 8, async () => {
      page = await browse("--dump-dom");
    });
    for (const text of ["The Comedy of Errors", "Reviewer1", "Reviewer2", "reviews-v3"]) expect(page).toContain(text);
    expect(page.match(/<[^>]*(?:color:\s*red|red)[^>]*>/gi)?.length ?? 0).toBeGreaterThan(0);
    expect(page).not.toMatch(/Error fetching|unavailable/i);
    expect(byEdge(grown)).toMatchObject({
      "source productpage-v1 reviews-v3 200 -": 1,
      "destination reviews-v3 ratings-v1 200 -": 1,
    });
  });

  it("paints it", async () => {
    const picture = join(folder, "page.png");
    await browse(`--screenshot=${picture}`);
    const bytes = await readFile(picture);
    expect(bytes.subarray(1, 4).toString()).toBe("PNG");
    expect([bytes.readUInt32BE(16), bytes.readUInt32BE(20)]).toEqual([1200, 900]);
    // A page that stayed blank packs into a few hundred bytes.
    expect(bytes.length).toBeGreaterThan(10_000);
  });
});
