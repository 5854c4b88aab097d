import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { VirtualClock } from "@mixerless/clock";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createJoinKey, signJoinToken } from "../join-token.ts";
import { openJoinTokens } from "./used-tokens.ts";

const CLAIMS = { namespace: "default", serviceAccount: "bookinfo-reviews", workload: "reviews-v1" };
const HOUR = 3_600_000;

let folder: string;
let file: string;
let clock: VirtualClock;
let joinKey: Uint8Array;
let logged: string[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "mixerless-used-tokens-"));
  file = join(folder, "used-tokens.json");
  clock = new VirtualClock();
  joinKey = createJoinKey();
  logged = [];
});

afterEach(() => rm(folder, { recursive: true, force: true }));

const open = () => openJoinTokens({ folder, joinKey, clock, log: (message) => logged.push(message) });
const token = (lifetime = HOUR) => signJoinToken(joinKey, CLAIMS, clock, lifetime);
const kept = async () => (JSON.parse(await readFile(file, "utf8")) as { used: unknown[] }).used.length;

describe("join tokens across restarts", () => {
  it("are taken once", async () => {
    const once = token();
    await (await open()).redeem(once);
    const restarted = await open();
    await expect(restarted.redeem(once)).rejects.toThrow("has been used before");
    expect(() => restarted.peek(once)).toThrow("has been used before");
    expect(await restarted.redeem(token())).toMatchObject(CLAIMS);
  });

  it("are all kept when many come at once, in a file of the owner's, which holds no token", async () => {
    const tokens = await open();
    const many = Array.from({ length: 200 }, () => token());
    await Promise.all(many.map((one) => tokens.redeem(one)));
    expect(await kept()).toBe(200);
    expect(await readdir(folder)).toEqual(["used-tokens.json"]);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    const text = await readFile(file, "utf8");
    for (const one of many) expect(text).not.toContain(one.split(".").at(-1));
    const restarted = await open();
    for (const one of many) await expect(restarted.redeem(one)).rejects.toThrow("has been used before");
  });

  it("are forgotten when they have expired by themselves", async () => {
    const tokens = await open();
    await tokens.redeem(token());
    await tokens.redeem(token(2 * HOUR));
    clock.advance(HOUR);
    await tokens.redeem(token());
    expect(await kept()).toBe(2);
  });

  it.each([
    "",
    "{",
    "[]",
    "null",
    '{"version":2,"used":[]}',
    '{"version":1,"used":{}}',
    '{"version":1,"used":[["id","soon"]]}',
    '{"version":1,"used":[["id"]]}',
  ])("are refused, with the cure, while what was kept is %j", async (text) => {
    await writeFile(file, text);
    await expect(open()).rejects.toThrow(/used-tokens\.json is damaged\. Remove it together with join-key/);
  });

  it("are not taken while their use cannot be kept, and are good afterwards", async () => {
    const tokens = await open();
    const once = token();
    await rm(folder, { recursive: true });
    await expect(tokens.redeem(once)).rejects.toMatchObject({
      code: "bad-authority-files",
      message: expect.not.stringContaining(folder),
    });
    expect(logged).toEqual([expect.stringContaining(`${file} cannot be written`)]);
    await mkdir(folder);
    expect(await tokens.redeem(once)).toMatchObject(CLAIMS);
  });
});
