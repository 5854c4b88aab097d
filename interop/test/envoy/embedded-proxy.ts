import { randomUUID } from "node:crypto";
import { SystemClock } from "@mixerless/clock";
import { createProxy, type Proxy as DataPlane, decodeBootstrap } from "@mixerless/proxy";

/** The embedded proxy in this process, serving. Throws what is wrong with the bootstrap. */
export async function startEmbedded(bootstrap: object, log: (line: string) => void = () => {}): Promise<DataPlane> {
  const decoded = decodeBootstrap(bootstrap as Parameters<typeof decodeBootstrap>[0]);
  if (decoded.faults !== undefined) throw new Error(JSON.stringify(decoded.faults));
  const proxy = createProxy({
    bootstrap: decoded.message,
    clock: new SystemClock(),
    extensions: {},
    log,
    random: Math.random,
    uuid: randomUUID,
    onQuit: () => {},
    version: "test",
  });
  await proxy.start();
  return proxy;
}
