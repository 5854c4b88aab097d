import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { VirtualClock } from "@mixerless/clock";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { IssuedCertificates } from "./issued-certificates.ts";

const HOUR = 3_600_000;
const REVIEWS = "spiffe://cluster.local/ns/default/sa/reviews";

let folder: string;
let clock: VirtualClock;
let logged: string[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "mixerless-issued-"));
  clock = new VirtualClock();
  logged = [];
});

afterEach(() => rm(folder, { recursive: true, force: true }));

const open = () => IssuedCertificates.open({ folder, clock, log: (message) => logged.push(message) });
const certificate = (serial: string, root: string, life = HOUR) => ({
  ...{ serial, root, identity: REVIEWS },
  notAfter: clock.now() + life,
});
const serials = (issued: IssuedCertificates, root: string) => issued.under(root).map(({ serial }) => serial);

describe("the certificates that are in use", () => {
  it("are those that have not expired, the first to expire first", async () => {
    const issued = await open();
    await issued.note(certificate("01", "a", 2 * HOUR), null);
    await issued.note(certificate("02", "a"), null);
    await issued.note(certificate("03", "b"), null);
    expect(serials(issued, "a")).toEqual(["02", "01"]);
    clock.advance(HOUR);
    expect([serials(issued, "a"), serials(issued, "b")]).toEqual([["01"], []]);
  });

  it("are no more those that were renewed, once nobody can be waiting for the new one", async () => {
    const issued = await open();
    await issued.note(certificate("01", "a"), null);
    await issued.note(certificate("02", "b"), "01");
    expect([serials(issued, "a"), serials(issued, "b")]).toEqual([["01"], ["02"]]);
    clock.advance(15_000);
    expect([serials(issued, "a"), serials(issued, "b")]).toEqual([[], ["02"]]);
  });

  it("are known again after a restart, in a file of their owner's", async () => {
    const first = await open();
    await Promise.all([first.note(certificate("01", "a"), null), first.note(certificate("02", "a", 2 * HOUR), null)]);
    const again = await open();
    expect(serials(again, "a")).toEqual(["01", "02"]);
    expect((await stat(join(folder, "issued.json"))).mode & 0o777).toBe(0o600);
    clock.advance(HOUR);
    await again.note(certificate("03", "a", 3 * HOUR), "02");
    expect(await readFile(join(folder, "issued.json"), "utf8")).not.toContain('"01"');
  });

  it("are followed from whichever certificate a client has shown", async () => {
    const issued = await open();
    await issued.note(certificate("01", "a"), null);
    await issued.note(certificate("02", "a", 2 * HOUR), "01");
    await issued.note(certificate("03", "a", 3 * HOUR), "02");
    expect(["01", "02", "03", "04"].map((serial) => issued.expiryOf(serial))).toEqual([
      ...Array(3).fill(clock.now() + 3 * HOUR),
      null,
    ]);
  });

  it("stop no certificate where they cannot be read or written", async () => {
    await writeFile(join(folder, "issued.json"), '{"version":1,"held":[{"serial":1}]}');
    const issued = await open();
    expect(logged).toEqual([expect.stringContaining("issued.json is damaged")]);
    await rm(folder, { recursive: true });
    await issued.note(certificate("01", "a"), null);
    await issued.note(certificate("02", "a"), null);
    expect(serials(issued, "a")).toEqual(["01", "02"]);
    expect(logged.slice(1)).toEqual([
      expect.stringContaining("cannot be written"),
      expect.stringContaining("cannot be written"),
    ]);
  });
});
