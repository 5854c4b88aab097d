import { VirtualClock } from "@mixerless/clock";
import { CertificateAuthority, createRoot, readSigner } from "@mixerless/identity/authority";
import { afterEach, describe, expect, it } from "vitest";
import { OwnCertificate } from "./own-certificate.ts";

const HOUR = 3_600_000;

let own: OwnCertificate;

afterEach(() => own.close());

describe("the control plane's own certificate", () => {
  it("is renewed within seconds of a jump of the wall clock past its half, or to before it, and once", async () => {
    const clock = new VirtualClock();
    let jump = 0;
    const jumping = Object.assign(Object.create(clock) as VirtualClock, {
      now: () => clock.now() + jump,
      monotonic: () => clock.monotonic(),
      after: (delay: number, act: () => void) => clock.after(delay, act),
    });
    const signer = await readSigner(await createRoot("cluster.local", clock.now(), 1000 * HOUR), clock.now());
    const authority = new CertificateAuthority({ clock: jumping, signer: () => signer });
    const issued: Promise<unknown>[] = [];
    own = await OwnCertificate.create({
      authority: {
        issue: (...request) => {
          const made = authority.issue(...request);
          issued.push(made);
          return made;
        },
      },
      ...{ roots: () => [signer.root], trustDomain: "cluster.local", clock: jumping, log: () => {} },
    });
    const turn = () => new Promise((wake) => setImmediate(wake));
    const pass = async (time: number, until: number) => {
      clock.advance(time);
      // Making a key takes its time.
      while (issued.length < until) await turn();
      await Promise.all(issued);
      await turn();
    };
    jump = 13 * HOUR;
    await pass(5000, 2);
    expect(issued).toHaveLength(2);
    jump = 0;
    await pass(5000, 3);
    for (let i = 0; i < 5; i++) await pass(5000, 3);
    expect(issued).toHaveLength(3);
    // A machine that slept, whose wall clock stood still.
    jump = -13 * HOUR;
    await pass(13 * HOUR, 4);
    expect(issued).toHaveLength(4);
  });
});
