import { describe, expect, it } from "vitest";
import { isPipe, pipeAddress, socketAddress } from "./socket-address.ts";

describe("the address of a Unix socket", () => {
  it("is told from IP addresses, whatever their port", () => {
    expect(isPipe(pipeAddress("/run/app.sock"))).toBe(true);
    expect(isPipe(pipeAddress("@app"))).toBe(true);
    expect(isPipe(pipeAddress(""))).toBe(false);
    expect(isPipe(socketAddress("127.0.0.1", 0))).toBe(false);
    expect(isPipe(socketAddress("::1", 0))).toBe(false);
  });
});
