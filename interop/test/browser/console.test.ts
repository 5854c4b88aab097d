import axe, { type AxeResults } from "axe-core";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { RunningDemo } from "../../../packages/mixerless/test/running-demo.ts";
import { findProgram, titled } from "../peers.ts";

const program = findProgram("chromium");
const without = [program === null && "no chromium, npm run interop:setup installs it"];
const VIEWS_SENT = 20;
/** What a view has once it is there. */
const SHOWS: Readonly<Record<string, string>> = { "/": ".edge", "/extensions": ".card", "/configuration": "summary" };
const VIEW = { language: "en", theme: "light", window: 3600 };
const EDGES = [
  "istio-ingressgateway → productpage-v1",
  "productpage-v1 → details-v1",
  "productpage-v1 → reviews-v2",
  "reviews-v2 → ratings-v1",
];

/** What the page is told; only what is looked at here. */
interface Told {
  readonly proxies: readonly unknown[];
  readonly edges: readonly { readonly requests: number }[];
}

describe.skipIf(without.some(Boolean))(titled("the console in a browser", without), () => {
  let demo: RunningDemo;
  let browser: Browser;
  let url: string;

  beforeAll(async () => {
    demo = await RunningDemo.startWithConsole("--no-traffic", "--reviews", "v2", "--extensions", "wasm");
    url = demo.summary.console ?? "";
    browser = await chromium.launch({ executablePath: program ?? "", args: ["--no-sandbox", "--disable-gpu"] });
    // What a proxy had counted before the first look at it is of no known time.
    await told(({ proxies }) => proxies.length === 7);
    for (let view = 0; view < VIEWS_SENT; view++)
      expect((await fetch(`${demo.summary.ingress}/productpage`)).status).toBe(200);
    await told(({ edges }) => edges.length === 4 && edges.every(({ requests }) => requests === VIEWS_SENT));
  });

  afterAll(async () => {
    await browser?.close();
    await demo?.stop();
  });

  async function told(enough: (page: Told) => boolean): Promise<void> {
    for (;;) {
      const page = (await (await fetch(`${url}/api/traffic?seconds=3600`)).json()) as Told;
      if (enough(page)) return;
      await new Promise((wake) => setTimeout(wake, 200));
    }
  }

  async function open(path: string, view: Record<string, unknown> = {}, width = 1280): Promise<Page> {
    const page = await browser.newPage({ viewport: { width, height: 900 } });
    await page.addInitScript(
      `localStorage.setItem("mixerless.view", ${JSON.stringify(JSON.stringify({ ...VIEW, ...view }))})`,
    );
    await page.goto(`${url}/#${path}`);
    await page
      .locator(SHOWS[path] ?? "main")
      .first()
      .waitFor();
    return page;
  }

  it("draws the four edges of the demo, each with what was sent", async () => {
    const page = await open("/");
    const labels = await page
      .locator(".edge")
      .evaluateAll((edges) => edges.map((one) => one.getAttribute("aria-label")));
    expect(labels.map((label) => label?.split(":")[0]).sort()).toEqual(EDGES);
    for (const label of labels) expect(label).toMatch(/healthy, Mutual TLS$/);
    for (const edge of EDGES) {
      await page.locator(`.edge[aria-label^="${edge}"] .label`).click();
      const panel = page.getByRole("complementary", { name: edge });
      await expect.poll(() => panel.locator("dl div").first().innerText()).toMatch(/^Requests\s+20$/);
    }
    await page.close();
  });

  it("is used by the keyboard alone: to an edge, into its panel and back", async () => {
    const page = await open("/");
    const focused = () => page.evaluate<string>('document.activeElement?.getAttribute("aria-label") ?? ""');
    for (let tabs = 0; tabs < 40 && !(await focused()).startsWith("productpage-v1 → details-v1"); tabs++)
      await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await page.getByRole("complementary", { name: "productpage-v1 → details-v1" }).waitFor();
    expect(await focused()).toBe("productpage-v1 → details-v1");
    await page.keyboard.press("Escape");
    await page.getByRole("complementary").waitFor({ state: "detached" });
    await page.close();
  });

  for (const path of ["/", "/extensions", "/configuration"]) {
    for (const language of ["en", "zh"]) {
      for (const theme of ["light", "dark"]) {
        it(`has no fault of access at ${path}, ${language}, ${theme}, and cuts nothing off`, async () => {
          for (const width of [1280, 390]) {
            const page = await open(path, { language, theme }, width);
            await page.evaluate(axe.source);
            const { violations } = await page.evaluate<AxeResults>("axe.run()");
            expect(violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`)).toEqual([]);
            expect(await page.evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(width);
            expect(await page.evaluate("document.documentElement.lang")).toBe(language === "zh" ? "zh-CN" : "en");
            await page.close();
          }
        });
      }
    }
  }

  it("shows which plugin runs where", async () => {
    const page = await open("/extensions");
    const rows = page.locator("tbody tr", { hasText: "running" });
    // The exchange and the statistics, in each of seven proxies.
    await expect.poll(() => rows.count(), { timeout: 30_000 }).toBe(14);
    expect(await rows.first().innerText()).toMatch(/istio\.(metadata_exchange|stats)/);
    await page.close();
  });

  it("shows what the proxies were sent, and the objects it came from", async () => {
    const page = await open("/configuration");
    const rows = await page.locator("tbody tr").allInnerTexts();
    expect(rows.filter((row) => row.includes("has it"))).toHaveLength(7);
    await page.getByLabel("Filter").fill("virtualservice");
    await page.locator("summary").first().click();
    await expect.poll(() => page.locator("details pre").first().innerText()).toContain("kind: VirtualService");
    await page.close();
  });
});
