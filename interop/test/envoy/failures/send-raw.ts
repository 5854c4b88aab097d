import { connect } from "node:net";
import { type FailureCase, GET } from "./failure-case.ts";

export interface SeenAnswer {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Sends the bytes of a case and reads until the proxy ends the connection, or the client goes. */
export function sendRaw(
  target: { host: string; port: number },
  { request = GET, leaves }: FailureCase,
): Promise<SeenAnswer> {
  return new Promise((resolve) => {
    let text = "";
    const socket = connect(target, () => socket.write(request));
    const timer = setTimeout(() => socket.destroy(), leaves ?? 8000);
    socket.on("data", (bytes) => {
      text += bytes.toString("latin1");
    });
    socket.on("error", () => {});
    socket.on("close", () => {
      clearTimeout(timer);
      resolve(parse(text));
    });
  });
}

function parse(text: string): SeenAnswer {
  const end = text.indexOf("\r\n\r\n");
  const [, ...lines] = (end < 0 ? text : text.slice(0, end)).split("\r\n");
  const headers = Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 2)]),
  );
  return { headers, body: end < 0 ? "" : text.slice(end + 4) };
}
